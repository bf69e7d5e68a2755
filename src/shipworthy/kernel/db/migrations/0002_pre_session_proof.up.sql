-- By what means a session's person was recognised, and when they last proved who they are. A session that
-- an older release begins says neither: its beginning counts as the proof, and by what is not known.
alter table session add column amr text not null default '' check (length(amr) <= 100),
  add column proven_at timestamptz;
