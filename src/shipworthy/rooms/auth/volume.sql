-- Run once per tenant as the superuser, with app.realm_id, app.tenant_id and volume.rows set.
-- One person for ten rows, most with a password, each with two browsers, three sessions and traces of signing up.
do $$
declare
  people int := greatest(current_setting('volume.rows')::int / 10, 5);
begin
  create temporary table person on commit drop as
    select n, gen_random_uuid() as user_id, gen_random_uuid() as desk_id, gen_random_uuid() as phone_id,
      format('person-%s@%s.volume.example', n, left(my_tenant()::text, 8)) as email,
      now() - n * interval '1 hour' as at
    from generate_series(1, people) n;

  insert into app_user (realm_id, user_id, email_raw, email_canon, name, verified_at, created_at)
    select my_realm(), user_id, email, email, format('Person %s', n), at, at from person;
  insert into credential (realm_id, credential_id, user_id, kind, password_hash, changed_at)
    select my_realm(), gen_random_uuid(), user_id, 'password', '$argon2id$v=19$m=64,t=1,p=1$dm9sdW1l$' || md5(email), at from person
    where n % 5 > 0;
  insert into membership (realm_id, tenant_id, user_id, role, created_at)
    select my_realm(), my_tenant(), user_id, case when n = 1 then 'owner' else 'member' end, at from person;
  insert into device (realm_id, device_id, user_id, cookie_sha256, name, created_at, last_seen_at)
    select my_realm(), desk_id, user_id, sha256(desk_id::text::bytea), 'Firefox on Linux', at, at from person
    union all
    select my_realm(), phone_id, user_id, sha256(phone_id::text::bytea), 'Safari on iPhone', at, at from person;
  insert into session (realm_id, session_id, token_sha256, user_id, device_id, device_name, tenant_id, tenant_name, role, email, name,
    created_at, last_seen_at, idle_expires_at, absolute_expires_at, revoked_at)
    select my_realm(), gen_random_uuid(), sha256((user_id::text || k)::bytea), user_id,
      case when k = 1 then phone_id else desk_id end, 'Firefox on Linux', my_tenant(), 'Volume', 'member', email, format('Person %s', n),
      at, at, at + interval '1 day', at + interval '30 days', case when k = 3 then at end
    from person cross join generate_series(1, 3) k;
  insert into one_time_token (realm_id, token_id, token_sha256, purpose, email_raw, email_canon, origin, pending, created_at, expires_at, used_at)
    select my_realm(), gen_random_uuid(), sha256(('token' || user_id)::bytea), 'sign_up', email, email, 'http://localhost',
      jsonb_build_object('name', format('Person %s', n)), at, now() + n * interval '1 minute', case when n % 2 = 0 then at end
    from person;
  insert into one_time_token (realm_id, token_id, token_sha256, purpose, user_id, email_raw, email_canon, origin, created_at, expires_at, used_at)
    select my_realm(), gen_random_uuid(), sha256(('reset' || k || user_id)::bytea), 'reset', user_id, email, email, 'http://localhost',
      at, now() + n * interval '1 minute', case when k = 2 then at end
    from person cross join generate_series(1, 2) k;
  insert into identity (realm_id, identity_id, user_id, provider, issuer, subject, email, linked_at)
    select my_realm(), gen_random_uuid(), user_id, 'google', 'https://accounts.google.com', user_id::text, email, at from person
    where n % 3 = 0;
  insert into program (realm_id, program_id, user_id, tenant_id, name, counter, created_at, refreshed_at, idle_expires_at, absolute_expires_at, ended_at)
    select my_realm(), gen_random_uuid(), user_id, my_tenant(), format('Program %s', k), k, at, at, at + interval '100 days',
      now() + n * interval '1 hour', case when k = 3 then at end
    from person cross join generate_series(1, 3) k;
  insert into oauth_state (realm_id, state_sha256, browser_sha256, provider, verifier, nonce, redirect_uri, next, expires_at)
    select my_realm(), sha256(('state' || user_id)::bytea), sha256(('browser' || user_id)::bytea), 'google', 'v', 'n', 'http://localhost', '',
      now() + n * interval '1 minute' from person;
  insert into totp (realm_id, user_id, sealed, created_at, confirmed_at)
    select my_realm(), user_id, sha256(user_id::text::bytea), at, at from person where n % 2 = 0;
  insert into recovery_code (realm_id, user_id, code_sha256, created_at)
    select my_realm(), user_id, sha256((user_id::text || k)::bytea), at from person cross join generate_series(1, 10) k
    where n % 7 between 2 and 3;
  insert into passkey (realm_id, passkey_id, user_id, rp_id, credential_id, public_key, sign_count, name, created_at)
    select my_realm(), gen_random_uuid(), user_id, 'localhost', sha256(('passkey' || user_id)::bytea), sha256('key'), 0,
      'Passkey', at from person where n % 2 = 1;
  insert into factor_challenge (realm_id, challenge_sha256, browser_sha256, purpose, user_id, amr, expires_at)
    select my_realm(), sha256(('challenge' || user_id)::bytea), sha256(('browser' || user_id)::bytea), 'second', user_id, 'pwd',
      now() + n * interval '1 minute' from person;
  insert into auth_mail (realm_id, token_id, sent_at) select realm_id, token_id, created_at from one_time_token
    where realm_id = my_realm() on conflict do nothing;
  insert into login_bucket (realm_id, bucket, failures, window_started_at)
    select my_realm(), sha256(('bucket' || user_id || k)::bytea), k, at from person cross join generate_series(1, 2) k;
  -- Most of them long ago: the gate reads those of the last 30 days.
  insert into login_network (realm_id, network, succeeded_at)
    select my_realm(), decode(md5('network' || user_id || k), 'hex'), at - k * interval '30 days'
    from person cross join generate_series(0, 49) k;
  insert into invitation (tenant_id, invitation_id, email_raw, email_canon, role, invited_by, created_at, expires_at)
    -- Ids in the order of time, as ours are: an index in random order looks dearer to the planner than it is.
    select my_tenant(), ('01900000-0000-7000-8000-' || lpad(to_hex(100000 - n), 12, '0'))::uuid, 'invited-' || email, 'invited-' || email, 'member', user_id, at, now() + interval '7 days'
    from person where n <= 60 order by n desc; -- room is left for more: an organisation may have 100 open
end $$;
