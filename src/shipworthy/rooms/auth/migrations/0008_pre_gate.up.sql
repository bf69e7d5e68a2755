-- The login gate. A bucket knows when the next try may be made, so that tries can wait longer and longer.
alter table login_bucket add column free_at timestamptz not null default '-infinity';

-- Count one try in one bucket, unless it has to wait: then `wait` says how long, and nothing is counted.
-- Without `delay_max`: `free` tries a `period`, then none until it is over. With it: after `free` tries each one
-- is followed by a pause, a second at first and then twice the last one, up to `delay_max`; a `period` of quiet
-- and all is forgotten.
create function count_try(
  which bytea, free int, period interval, delay_max interval, at timestamptz, out tries int, out wait interval
) language plpgsql as $$
declare
  b login_bucket;
begin
  loop
    select * into b from login_bucket where bucket = which for update;
    exit when found;
    insert into login_bucket (bucket, failures, window_started_at) values (which, 0, at)
      on conflict do nothing returning * into b;
    exit when found;
  end loop;
  if b.window_started_at + period <= at then
    b.failures := 0;
    b.window_started_at := at;
    b.free_at := '-infinity';
  end if;
  tries := b.failures;
  wait := greatest(b.free_at - at, interval '0');
  if wait > interval '0' then
    return;
  end if;
  tries := tries + 1;
  if delay_max is not null then
    b.window_started_at := at;
  end if;
  if tries >= free then
    b.free_at := case when delay_max is null then b.window_started_at + period
      else at + least(interval '1 second' * 2 ^ least(tries - free, 20), delay_max) end;
  end if;
  update login_bucket set failures = tries, window_started_at = b.window_started_at, free_at = b.free_at
  where bucket = which;
end $$;

-- Count one try in all its buckets, near, spread, wide: always in this order, so that no two wait in a circle.
-- Returns how long it has to wait; the caller then takes the whole back by ending the transaction.
create function count_tries(
  near bytea, near_free int, grows boolean, spread bytea, spread_free int, wide bytea, wide_free int,
  period interval, at timestamptz
) returns interval language plpgsql as $$
declare
  counted record;
begin
  if grows then
    counted := count_try(near, near_free, period * 4, period, at);
  else
    counted := count_try(near, near_free, period, null, at);
  end if;
  if counted.wait = interval '0' and spread is not null and counted.tries = 1 then
    counted := count_try(spread, spread_free, period * 4, period, at);
  end if;
  if counted.wait = interval '0' and wide is not null then
    counted := count_try(wide, wide_free, period * 4, period, at);
  end if;
  return counted.wait;
end $$;

-- A try was no failure: take it off again, in the same order. A pause that earlier failures have earned stays.
create function give_back_tries(near bytea, near_free int, spread bytea, wide bytea, wide_free int)
returns void language plpgsql as $$
declare
  left_over int;
begin
  update login_bucket set failures = failures - 1,
    free_at = case when failures <= near_free then '-infinity' else free_at end
  where bucket = near and failures > 0 returning failures into left_over;
  if spread is not null and left_over = 0 then
    update login_bucket set failures = failures - 1 where bucket = spread and failures > 0;
  end if;
  if wide is not null then
    update login_bucket set failures = failures - 1,
      free_at = case when failures <= wide_free then '-infinity' else free_at end
    where bucket = wide and failures > 0;
  end if;
end $$;

-- Networks somebody has signed in from, by keyed hash: the gate lets them before strangers.
create table login_network (
  realm_id uuid not null default my_realm(),
  network bytea not null check (length(network) = 16),
  succeeded_at timestamptz not null,
  primary key (realm_id, network)
) with (fillfactor = 70);
create index login_network_age_idx on login_network (realm_id, succeeded_at);
select protect('login_network', 'realm');
revoke all on login_network from worker, reader;
