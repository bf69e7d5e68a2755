-- Programs that act for a person. A row a program, none a token: `counter` tells the newest refresh token, and
-- moves by compare-and-swap. Nothing that a refresh changes is indexed, so it stays in the page (HOT).
create table program (
  realm_id uuid not null default my_realm(),
  program_id uuid not null,
  user_id uuid not null,
  tenant_id uuid,
  name text not null check (length(name) between 1 and 100),
  counter bigint not null default 0,
  created_at timestamptz not null,
  refreshed_at timestamptz not null,
  idle_expires_at timestamptz not null,
  absolute_expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (realm_id, program_id),
  foreign key (realm_id, user_id) references app_user
) with (fillfactor = 70);
create index program_user_idx on program (realm_id, user_id) where ended_at is null;
create index program_expiry_idx on program (realm_id, absolute_expires_at);
select protect('program', 'realm');
revoke update on program from app, worker;
grant update (counter, refreshed_at, idle_expires_at, ended_at) on program to app;
revoke all on program from worker, reader;

alter table one_time_token drop constraint one_time_token_purpose_check;
alter table one_time_token add constraint one_time_token_purpose_check
  check (purpose in ('sign_up', 'account_exists', 'nothing', 'identity_code', 'identity_linked', 'identity_removed',
    'program_replayed'));
