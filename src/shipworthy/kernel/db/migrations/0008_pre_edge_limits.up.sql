-- What the edge has counted, by keyed hash: until when each key has paid (GCRA). Unlogged: a count costs no disk flush;
-- after a crash of the database everybody starts with a full budget, which is the safe way to fail.
create unlogged table edge_limit (
  realm_id uuid not null default my_realm(),
  key bytea not null check (length(key) = 16),
  paid_until timestamptz not null,
  primary key (realm_id, key)
) with (fillfactor = 70);
create index edge_limit_paid_idx on edge_limit (realm_id, paid_until);
select protect('edge_limit', 'realm');
revoke all on edge_limit from worker, reader;

-- Count one of a key; how long it has to wait instead. The row is held meanwhile, and the time is read once it is.
create function limit_wait(wanted bytea, each interval, tolerance interval) returns interval language plpgsql as $$
declare
  paid timestamptz;
  at timestamptz;
  begins timestamptz;
begin
  insert into edge_limit (key, paid_until) values (wanted, '-infinity') on conflict do nothing;
  select paid_until into paid from edge_limit where key = wanted for update;
  at := clock_timestamp();
  begins := least(greatest(paid, at), at + tolerance + each);
  if begins - tolerance > at then
    return begins - tolerance - at;
  end if;
  update edge_limit set paid_until = begins + each where key = wanted;
  return interval '0';
end $$;
