-- login_begin --
-- All a sign-in needs to know of an address, second factor and all, and its try counted before it is judged: for a browser its owner knows in the
-- browser's bucket, for everybody else in the network's and the account's. `wait` says how long it has to wait.
-- index: app_user_realm_id_email_canon_key, credential_user_password_idx, device_cookie_user_idx, totp_pkey, passkey_user_idx   rows: <= 1   scope: realm
-- with: email_canon = (select u.email_canon from app_user u join device d using (user_id) limit 1), cookie_sha256 = (select d.cookie_sha256 from app_user u join device d using (user_id) limit 1)
-- with: device = sha256(gen_random_uuid()::text::bytea), network = sha256(gen_random_uuid()::text::bytea), spread = sha256(gen_random_uuid()::text::bytea), account = sha256(gen_random_uuid()::text::bytea)
-- with: near_max = 10, spread_max = 30, wide_max = 100, period = interval '15 minutes', now = now()
select u.user_id, u.email_raw, u.email_canon, u.name, u.status, u.verified_at, c.password_hash,
  d.device_id, d.trusted_until,
  exists (select from totp where user_id = u.user_id and confirmed_at is not null)
    or exists (select from passkey where user_id = u.user_id) as has_factor,
  case when d.device_id is not null then count_tries(:device, :near_max, false, null, 0, null, 0, :period, :now)
    else count_tries(:network, :near_max, true, :spread, :spread_max, :account, :wide_max, :period, :now) end as wait
from (values (1)) asked
left join app_user u on u.email_canon = :email_canon
left join credential c on c.user_id = u.user_id and c.kind = 'password'
left join device d on d.cookie_sha256 = :cookie_sha256 and d.user_id = u.user_id

-- login_accepted --
-- The password was right, and still is: give the tries back, remember browser and network, leave a trail, and enter the
-- organisation entered last, held as by membership_to_enter. `failures` is how many tries of strangers at the account are
-- counted, this one among them. No row
-- when the account was closed or got another password since; both are held, so that whoever changes them waits for the session.
-- index: none (insert)   rows: <= 1   scope: realm
-- with: judged = (select password_hash from credential limit 1)
-- with: near = sha256(gen_random_uuid()::text::bytea), near_max = 10, spread = null::bytea, wide = null::bytea, wide_max = 100, network = decode(md5(gen_random_uuid()::text), 'hex')
-- with: device_id = gen_random_uuid(), user_id = (select user_id from app_user limit 1), cookie_sha256 = sha256(gen_random_uuid()::text::bytea), name = 'Sample', now = now()
-- with: audit_id = gen_random_uuid(), at = now(), actor_id = null::uuid, action = 'sample', object_type = 'sample', object_id = '1', detail = '{}'::jsonb, trace_id = 'sample'
with trail as (
  insert into realm_audit (audit_id, at, actor_id, action, object_type, object_id, detail, trace_id)
  values (:audit_id, :at, :actor_id, :action, :object_type, :object_id, :detail, :trace_id)
), network as (
  insert into login_network (network, succeeded_at) select :network, :now where :network::bytea is not null
  on conflict (realm_id, network) do update set succeeded_at = excluded.succeeded_at
), entered as (
  select m.tenant_id, m.role, t.name from membership m join tenant t on t.tenant_id = m.tenant_id
  where m.user_id = :user_id order by m.entered_at desc nulls last, m.created_at limit 1 for share of m
)
insert into device (device_id, user_id, cookie_sha256, name, created_at, last_seen_at)
select :device_id, :user_id, :cookie_sha256, :name, :now, :now
from app_user u join credential c on c.user_id = u.user_id and c.kind = 'password',
  give_back_tries(:near, :near_max, :spread, :wide, :wide_max)
where u.user_id = :user_id and u.status = 'active' and c.password_hash = :judged
for share of u, c
on conflict (realm_id, cookie_sha256, user_id) do update set last_seen_at = excluded.last_seen_at, name = excluded.name
returning device_id, (select tenant_id from entered), (select role from entered), (select name from entered) as tenant_name,
  (select failures from login_bucket where bucket = :wide) as failures, (select language from app_user where user_id = :user_id) as language

-- login_network_known --
-- Networks somebody has signed in from lately, the latest first; a few that are too old are forgotten.
-- index: login_network_age_idx, login_network_pkey   rows: <= 50000   scope: realm
-- with: since = now() - interval '30 days', entries_max = 50000
with gone as (
  delete from login_network where network = any (array(
    select network from login_network where succeeded_at < :since order by succeeded_at limit 100 for update skip locked
  ))
)
select network, succeeded_at from login_network where succeeded_at >= :since order by succeeded_at desc limit :entries_max

-- tries_count --
-- Count one try in its buckets before it is judged; `wait` says how long it has to wait instead.
-- index: none (a function that counts)   rows: <= 1   scope: realm
-- with: near = sha256(gen_random_uuid()::text::bytea), near_max = 10, grows = true, spread = null::bytea, spread_max = 30, wide = null::bytea, wide_max = 100, period = interval '15 minutes', now = now()
select count_tries(:near, :near_max, :grows, :spread, :spread_max, :wide, :wide_max, :period, :now) as wait

-- tries_purge --
-- Forget a few counters that are over.
-- index: login_bucket_age_idx, login_bucket_pkey   rows: <= 0   scope: realm
-- with: over = now() - interval '1 hour'
delete from login_bucket where bucket = any (array(
  select bucket from login_bucket where window_started_at < :over order by window_started_at limit 20 for update skip locked
))

-- tries_give_back --
-- A try was no failure, or not judged: take it off again.
-- index: none (a function that counts)   rows: <= 1   scope: realm
-- with: near = (select bucket from login_bucket order by window_started_at limit 1), near_max = 10, spread = null::bytea, wide = null::bytea, wide_max = 100
select give_back_tries(:near, :near_max, :spread, :wide, :wide_max)

-- credential_create --
-- A person's password, as its hash.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: credential_id = gen_random_uuid(), user_id = (select u.user_id from app_user u left join credential c using (user_id) where c.user_id is null limit 1), password_hash = 'sample', now = now()
insert into credential (credential_id, user_id, kind, password_hash, changed_at)
values (:credential_id, :user_id, 'password', :password_hash, :now)

-- credential_renew --
-- The same password, hashed with newer parameters; never over another one that was set meanwhile.
-- index: credential_user_password_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from app_user limit 1), judged = 'sample', password_hash = 'sample', now = now()
update credential set password_hash = :password_hash, changed_at = :now
where user_id = :user_id and kind = 'password' and password_hash = :judged

-- credential_replace --
-- Another password.
-- index: credential_user_password_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from app_user limit 1), password_hash = 'sample', now = now()
update credential set password_hash = :password_hash, changed_at = :now where user_id = :user_id and kind = 'password'

-- credential_get --
-- The hash a signed-in person's current password is checked against.
-- index: credential_user_password_idx   rows: <= 1   scope: realm
-- with: user_id = (select user_id from credential limit 1)
select password_hash from credential where user_id = :user_id and kind = 'password'

-- user_create --
-- A new person whose address is proven; no row when somebody has the address already. Held as by address_hold.
-- index: none (insert)   rows: <= 1   scope: realm
-- with: user_id = gen_random_uuid(), email_raw = 'a@b.example', email_canon = gen_random_uuid()::text, name = 'Sample', now = now()
insert into app_user (user_id, email_raw, email_canon, name, verified_at, created_at)
select :user_id, :email_raw, :email_canon, :name, :now, :now
from (select pg_advisory_xact_lock(hashtextextended(my_realm()::text || :email_canon, 0))) held
on conflict (realm_id, email_canon) do nothing
returning user_id

-- user_by_email --
-- Who has this address.
-- index: app_user_realm_id_email_canon_key   rows: <= 1   scope: realm
-- with: email_canon = (select email_canon from app_user limit 1)
select user_id, email_raw, verified_at from app_user where email_canon = :email_canon

-- user_rename --
-- A person's new name.
-- index: app_user_pkey   rows: <= 0   scope: realm
-- with: user_id = (select user_id from app_user limit 1), name = 'Sample'
update app_user set name = :name where user_id = :user_id

-- user_speak --
-- The language a person chose.
-- index: app_user_pkey   rows: <= 0   scope: realm
-- with: user_id = (select user_id from app_user limit 1), language = 'de'
update app_user set language = :language where user_id = :user_id

-- membership_create --
-- A person joins an organisation; nothing changes where they are in it already.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: tenant_id = (select tenant_id from tenant order by created_at desc limit 1), user_id = (select user_id from membership where tenant_id = (select tenant_id from tenant order by created_at limit 1) limit 1), role = 'member', now = now()
insert into membership (tenant_id, user_id, role, created_at) values (:tenant_id, :user_id, :role, :now)
on conflict (realm_id, tenant_id, user_id) do nothing

-- membership_to_enter --
-- For which organisation a session begins: the one entered last. It is held, so that a removal meanwhile waits for the session.
-- index: membership_user_idx   rows: <= 1   scope: realm
-- with: user_id = (select user_id from membership limit 1)
select m.tenant_id, m.role, t.name as tenant_name
from membership m join tenant t on t.tenant_id = m.tenant_id
where m.user_id = :user_id order by m.entered_at desc nulls last, m.created_at limit 1 for share of m

-- membership_enter --
-- A person acts for one of their organisations from now on; no row when it is none of theirs. Held as above.
-- index: membership_user_idx   rows: <= 1   scope: realm
-- with: tenant_id = (select tenant_id from membership limit 1), user_id = (select user_id from membership limit 1), now = now()
update membership m set entered_at = :now from tenant t
where m.tenant_id = :tenant_id and m.user_id = :user_id and t.tenant_id = m.tenant_id
returning m.role, t.name as tenant_name

-- membership_list --
-- The organisations a person belongs to, the one joined first at the top.
-- index: membership_user_idx   rows: <= 100   scope: realm
-- with: user_id = (select user_id from membership limit 1)
select m.tenant_id, t.name as tenant_name, m.role from membership m join tenant t on t.tenant_id = m.tenant_id
where m.user_id = :user_id order by m.created_at, m.tenant_id limit 100

-- organisation_lock --
-- Hold an organisation, so that those who change its people go one after another. People may still be invited in.
-- index: tenant_pkey   rows: <= 1
select name from tenant where tenant_id = my_tenant() for no key update

-- organisation_rename --
-- An organisation's new name.
-- index: tenant_pkey   rows: <= 0
-- with: name = 'Sample'
update tenant set name = :name where tenant_id = my_tenant()

-- member_list --
-- The people of an organisation, a page at a time, who joined first at the top.
-- index: membership_tenant_idx, app_user_pkey   rows: <= 51
-- with: after_at = now() - interval '1 day', after_id = gen_random_uuid()
select m.user_id, u.name, u.email_raw as email, m.role, m.created_at as joined_at
from membership m join app_user u on u.user_id = m.user_id
where m.tenant_id = my_tenant() and (m.created_at, m.user_id) > (:after_at, :after_id)
order by m.created_at, m.user_id limit 51

-- owner_list --
-- Whom an organisation's letters go to: its owners, who joined first at the top.
-- index: membership_owner_idx, app_user_pkey   rows: <= 20
select u.email_raw as email, u.language from membership m cross join lateral (
  select email_raw, language from app_user where user_id = m.user_id and status = 'active' limit 1
) as u where m.tenant_id = my_tenant() and m.role = 'owner' order by m.created_at, m.user_id limit 20

-- member_get --
-- One of an organisation's people.
-- index: membership_user_idx, app_user_pkey   rows: <= 1
-- with: user_id = (select user_id from membership where tenant_id = my_tenant() limit 1)
select m.user_id, u.name, u.email_raw as email, m.role, m.created_at as joined_at
from membership m join app_user u on u.user_id = m.user_id
where m.tenant_id = my_tenant() and m.user_id = :user_id

-- member_standing --
-- What somebody is in an organisation, what whoever asks is, and whether it has another owner who stays.
-- index: membership_user_idx, membership_owner_idx   rows: <= 1
-- with: user_id = (select user_id from membership where tenant_id = my_tenant() limit 1), actor_id = (select user_id from membership where tenant_id = my_tenant() limit 1)
select (select role from membership where tenant_id = my_tenant() and user_id = :user_id) as role,
  (select role from membership where tenant_id = my_tenant() and user_id = :actor_id) as actor_role,
  exists (
    select from membership other join app_user u on u.user_id = other.user_id
    where other.tenant_id = my_tenant() and other.role = 'owner' and other.user_id <> :user_id and u.status = 'active'
  ) as has_other_owner

-- member_change --
-- A member's new role.
-- index: membership_user_idx   rows: <= 0
-- with: user_id = (select user_id from membership where tenant_id = my_tenant() limit 1), role = 'member'
update membership set role = :role where tenant_id = my_tenant() and user_id = :user_id

-- member_remove --
-- Somebody is in the organisation no longer.
-- index: membership_user_idx   rows: <= 0
-- with: user_id = (select user_id from membership where tenant_id = my_tenant() limit 1)
delete from membership where tenant_id = my_tenant() and user_id = :user_id

-- member_by_email --
-- Whether somebody with this address is in the organisation.
-- index: app_user_realm_id_email_canon_key   rows: <= 1
-- with: email_canon = (select u.email_canon from membership m join app_user u using (user_id) where m.tenant_id = my_tenant() limit 1)
select m.user_id from app_user u join membership m on m.user_id = u.user_id
where u.email_canon = :email_canon and m.tenant_id = my_tenant()

-- invitation_get --
-- The open invitation of an address for a role.
-- index: invitation_tenant_id_email_canon_key   rows: <= 1
-- with: email_canon = (select email_canon from invitation limit 1), role = 'member', now = now()
select invitation_id from invitation
where tenant_id = my_tenant() and email_canon = :email_canon and role = :role and expires_at > :now

-- invitation_clear --
-- Make room for a new invitation: the open one of this address goes, with its letter, and so do a few that are over.
-- index: one_time_token_pkey   rows: <= 0
-- with: email_canon = (select email_canon from invitation limit 1), now = now()
with gone as (
  delete from invitation where email_canon = :email_canon or expires_at <= :now returning invitation_id
)
delete from one_time_token where token_id = any (array(select invitation_id from gone)) and purpose = 'invitation'

-- invitation_create --
-- Somebody is invited; no row when as many as may be are open already.
-- index: none (insert)   rows: <= 1
-- with: invitation_id = gen_random_uuid(), email_raw = 'a@b.example', email_canon = gen_random_uuid()::text, role = 'member', invited_by = (select user_id from membership limit 1), now = now(), expires_at = now(), open_max = 100000
insert into invitation (invitation_id, email_raw, email_canon, role, invited_by, created_at, expires_at)
select :invitation_id, :email_raw, :email_canon, :role, :invited_by, :now, :expires_at
where (select count(*) from invitation where tenant_id = my_tenant()) < :open_max
returning invitation_id

-- invitation_list --
-- The organisation's open invitations, by address.
-- index: none (either unique key leads to the tenant's few)   rows: <= 100
-- with: now = now()
select invitation_id, email_raw as email, role, expires_at from invitation
where tenant_id = my_tenant() and expires_at > :now order by email_canon limit 100

-- invitation_tenant --
-- To which organisation a mailed link invites: all that is known before it is opened.
-- index: one_time_token_hash_idx   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'sign_up' limit 1), now = now()
select (pending ->> 'tenant_id')::uuid as tenant_id from one_time_token
where token_sha256 = :token_sha256 and purpose = 'invitation' and expires_at > :now

-- invitation_by_link --
-- The open invitation of this organisation behind a mailed link.
-- index: one_time_token_hash_idx   rows: <= 1
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'sign_up' limit 1), now = now()
select i.invitation_id, i.email_raw, i.email_canon, i.role, t.name as organisation, u.name as inviter
from one_time_token l
join invitation i on i.tenant_id = my_tenant() and i.invitation_id = l.token_id
join tenant t on t.tenant_id = i.tenant_id
left join app_user u on u.user_id = i.invited_by
where l.token_sha256 = :token_sha256 and l.purpose = 'invitation' and i.expires_at > :now

-- invitation_take --
-- An invitation is over, with its letter: accepted, or taken back. Of many at once, one gets the row.
-- index: invitation_pkey, one_time_token_pkey   rows: <= 1
-- with: invitation_id = (select invitation_id from invitation limit 1), now = now()
with gone as (
  delete from invitation where tenant_id = my_tenant() and invitation_id = :invitation_id and expires_at > :now
  returning invitation_id, email_canon, role
), letter as (
  delete from one_time_token where token_id = any (array(select invitation_id from gone)) and purpose = 'invitation'
)
select invitation_id, email_canon, role from gone

-- program_end_of_member --
-- Somebody is in the organisation no longer: their programs act for it no longer either.
-- index: program_user_idx   rows: <= 0
-- with: user_id = (select user_id from program where tenant_id = my_tenant() limit 1), now = now()
update program set ended_at = :now where user_id = :user_id and tenant_id = my_tenant() and ended_at is null

-- device_forget --
-- A browser is no longer trusted.
-- index: device_pkey   rows: <= 0   scope: realm
-- with: device_id = (select device_id from device limit 1), user_id = (select user_id from device limit 1)
delete from device where device_id = :device_id and user_id = :user_id

-- device_forget_others --
-- All of a person's browsers but one are no longer trusted.
-- index: device_user_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from device limit 1), keep = gen_random_uuid()
delete from device where user_id = :user_id and device_id <> :keep

-- token_create --
-- An offer to be mailed; the token itself is nowhere.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: token_id = gen_random_uuid(), token_sha256 = sha256(gen_random_uuid()::text::bytea), purpose = 'nothing', user_id = null::uuid, email_raw = 'a@b.example', email_canon = 'a@b.example', origin = 'http://localhost', language = 'en', pending = '{}'::jsonb, now = now(), expires_at = now()
insert into one_time_token (token_id, token_sha256, purpose, user_id, email_raw, email_canon, origin, language, pending, created_at, expires_at)
values (:token_id, :token_sha256, :purpose, :user_id, :email_raw, :email_canon, :origin, :language, :pending, :now, :expires_at)

-- token_by_hash --
-- The open sign-up a mailed link stands for.
-- index: one_time_token_hash_idx   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'sign_up' limit 1), now = now()
select token_id, email_raw, email_canon, pending from one_time_token
where token_sha256 = :token_sha256 and purpose = 'sign_up' and used_at is null and expires_at > :now

-- token_pending --
-- The newest open sign-up of an address, for mailing its link again.
-- index: one_time_token_email_idx   rows: <= 1   scope: realm
-- with: email_canon = (select email_canon from one_time_token where purpose = 'sign_up' limit 1), now = now()
select email_raw, pending from one_time_token
where email_canon = :email_canon and purpose = 'sign_up' and used_at is null and expires_at > :now
order by created_at desc limit 1

-- token_use --
-- Close all open sign-ups of an address; what they asked for is forgotten.
-- index: one_time_token_email_idx   rows: <= 0   scope: realm
-- with: email_canon = (select email_canon from one_time_token where purpose = 'sign_up' limit 1), now = now()
update one_time_token set used_at = :now, pending = null
where email_canon = :email_canon and purpose = 'sign_up' and used_at is null

-- token_purge --
-- Forget a few offers that are over, with what they asked for.
-- index: one_time_token_expiry_idx, one_time_token_pkey   rows: <= 0   scope: realm
-- with: now = now() + interval '1 hour'
delete from one_time_token where token_id = any (array(
  select token_id from one_time_token where expires_at < :now order by expires_at limit 10 for update skip locked
))

-- token_to_mail --
-- What the worker needs to write one mail: in the language its reader chose, else in that of whoever asked for it.
-- index: one_time_token_pkey, app_user_pkey   rows: <= 1   scope: realm   role: worker
-- with: token_id = (select token_id from one_time_token limit 1)
select t.token_id, t.purpose, t.email_raw, t.origin, coalesce(nullif(u.language, ''), t.language) as language,
  coalesce(t.pending, '{}') - '{password_hash,identity}'::text[] as words
from one_time_token t left join app_user u on u.user_id = t.user_id
where t.token_id = :token_id

-- mail_claim --
-- This mail is being sent by us; no row when it was sent before.
-- index: none (insert)   rows: <= 1   scope: realm   role: worker
-- with: token_id = gen_random_uuid(), now = now()
insert into auth_mail (token_id, sent_at) values (:token_id, :now) on conflict do nothing returning token_id

-- device_remember --
-- Remember the browser of somebody who was let in by another than a password; no row when their account is closed by now.
-- index: none (insert)   rows: <= 1   scope: realm
-- with: device_id = gen_random_uuid(), user_id = (select user_id from app_user limit 1), cookie_sha256 = sha256(gen_random_uuid()::text::bytea), name = 'Sample', now = now()
insert into device (device_id, user_id, cookie_sha256, name, created_at, last_seen_at)
select :device_id, u.user_id, :cookie_sha256, :name, :now, :now from app_user u
where u.user_id = :user_id and u.status = 'active' for share
on conflict (realm_id, cookie_sha256, user_id) do update set last_seen_at = excluded.last_seen_at, name = excluded.name
returning device_id, (select language from app_user where user_id = :user_id) as language

-- oauth_state_create --
-- An attempt to sign in through somebody else begins.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: state_sha256 = sha256(gen_random_uuid()::text::bytea), browser_sha256 = sha256('sample'), provider = 'sample', user_id = null::uuid, verifier = 'sample', nonce = 'sample', redirect_uri = 'sample', next = '', expires_at = now()
insert into oauth_state (state_sha256, browser_sha256, provider, user_id, verifier, nonce, redirect_uri, next, expires_at)
values (:state_sha256, :browser_sha256, :provider, :user_id, :verifier, :nonce, :redirect_uri, :next, :expires_at)

-- oauth_state_take --
-- Use an attempt up, from the browser and for the provider it began with; no row for any other.
-- index: oauth_state_pkey   rows: <= 1   scope: realm
-- with: state_sha256 = (select state_sha256 from oauth_state limit 1), browser_sha256 = (select browser_sha256 from oauth_state limit 1), provider = 'google', now = now()
delete from oauth_state
where state_sha256 = :state_sha256 and browser_sha256 = :browser_sha256 and provider = :provider and expires_at > :now
returning user_id, verifier, nonce, redirect_uri, next

-- oauth_state_purge --
-- Forget a few attempts that nobody came back from; each attempt clears more than it adds.
-- index: oauth_state_expiry_idx, oauth_state_pkey   rows: <= 0   scope: realm
-- with: now = now() + interval '1 hour'
delete from oauth_state where state_sha256 = any (array(
  select state_sha256 from oauth_state where expires_at < :now order by expires_at limit 10 for update skip locked
))

-- identity_account --
-- Whose account an identity opens: person and first organisation.
-- index: identity_realm_id_issuer_subject_directory_key, app_user_pkey, membership_user_idx   rows: <= 1   scope: realm
-- with: issuer = (select issuer from identity order by issuer, subject limit 1), subject = (select subject from identity order by issuer, subject limit 1), directory = ''
select u.user_id, u.email_raw, u.name, u.status, u.verified_at, m.tenant_id, m.role, t.name as tenant_name
from identity i
join app_user u on u.user_id = i.user_id
left join lateral (
  select tenant_id, role from membership where user_id = u.user_id order by created_at limit 1
) m on true
left join tenant t on t.tenant_id = m.tenant_id
where i.issuer = :issuer and i.subject = :subject and i.directory = :directory

-- identity_link --
-- An identity opens an account from now on; no row when it opens one already.
-- index: none (insert)   rows: <= 1   scope: realm
-- with: identity_id = gen_random_uuid(), user_id = (select user_id from app_user limit 1), provider = 'sample', issuer = 'https://sample.example', subject = gen_random_uuid()::text, directory = '', email = 'a@b.example', now = now()
insert into identity (identity_id, user_id, provider, issuer, subject, directory, email, linked_at)
values (:identity_id, :user_id, :provider, :issuer, :subject, :directory, :email, :now)
on conflict (realm_id, issuer, subject, directory) do nothing
returning identity_id

-- identity_list --
-- The identities that open a person's account, the oldest first.
-- index: identity_user_idx   rows: <= 50   scope: realm
-- with: user_id = (select user_id from identity limit 1)
select identity_id, provider, email, linked_at from identity where user_id = :user_id order by linked_at limit 50

-- identity_unlink --
-- An identity opens the account no longer; no row when it is the last way in, or not this person's.
-- index: identity_user_idx   rows: <= 1   scope: realm
-- with: identity_id = (select identity_id from identity limit 1), user_id = (select user_id from identity limit 1)
delete from identity where identity_id = :identity_id and user_id = :user_id and (
  exists (select from credential where user_id = :user_id and kind = 'password')
  or exists (select from identity other where other.user_id = :user_id and other.identity_id <> :identity_id)
)
returning provider

-- user_lock --
-- Hold a person's row, so that of two ways in being removed at once the second sees the first gone.
-- index: app_user_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1)
select user_id, email_raw, email_canon, name, verified_at from app_user where user_id = :user_id for update

-- user_to_prove --
-- Who has this address, and how they could prove that they do.
-- index: app_user_realm_id_email_canon_key, credential_user_password_idx   rows: <= 1   scope: realm
-- with: email_canon = (select email_canon from app_user limit 1)
select u.user_id, u.email_raw, u.name, u.status, u.verified_at, c.password_hash, m.tenant_id, m.role, t.name as tenant_name
from app_user u
left join credential c on c.user_id = u.user_id and c.kind = 'password'
left join lateral (
  select tenant_id, role from membership where user_id = u.user_id order by created_at limit 1
) m on true
left join tenant t on t.tenant_id = m.tenant_id
where u.email_canon = :email_canon

-- user_reclaim --
-- Remove an account whose address was never confirmed, with every way into it: its mailbox's owner begins anew.
-- index: app_user_pkey   rows: <= 0   scope: realm
-- with: user_id = gen_random_uuid(), email_canon = 'nobody@sample.example'
with credentials as (delete from credential where user_id = :user_id and kind = 'password'),
  identities as (delete from identity where user_id = :user_id),
  devices as (delete from device where user_id = :user_id),
  memberships as (delete from membership where user_id = :user_id),
  tokens as (delete from one_time_token where email_canon = :email_canon)
delete from app_user where user_id = :user_id and verified_at is null

-- proof_by_hash --
-- What waits for a mailed code in this browser: an identity, or a person who confirms that it is them.
-- index: one_time_token_hash_idx   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'sign_up' limit 1), purpose = 'sign_up', now = now()
select token_id, user_id, email_raw, email_canon, pending from one_time_token
where token_sha256 = :token_sha256 and purpose = :purpose and used_at is null and expires_at > :now

-- proof_use --
-- A proof was given; it is forgotten, and counts once.
-- index: one_time_token_pkey   rows: <= 1   scope: realm
-- with: token_id = (select token_id from one_time_token limit 1), now = now()
update one_time_token set used_at = :now, pending = null
where token_id = :token_id and used_at is null
returning token_id

-- program_create --
-- A program begins to act for a person; no row when they have as many as anybody may.
-- index: program_user_idx   rows: <= 1   scope: realm
-- with: program_id = gen_random_uuid(), user_id = (select user_id from program limit 1), tenant_id = null::uuid, name = 'Sample', now = now(), idle_expires_at = now(), absolute_expires_at = now(), programs_max = 50
insert into program (program_id, user_id, tenant_id, name, created_at, refreshed_at, idle_expires_at, absolute_expires_at)
select :program_id, :user_id, :tenant_id, :name, :now, :now, :idle_expires_at, :absolute_expires_at
where (
  select count(*) from program
  where user_id = :user_id and ended_at is null and idle_expires_at > :now and absolute_expires_at > :now
) < :programs_max
returning program_id

-- program_refresh --
-- Move a program on to its next refresh token, if this is its newest and its person may still come in.
-- index: program_pkey   rows: <= 1   scope: realm
-- with: program_id = (select program_id from program limit 1), counter = 0, now = now(), idle_expires_at = now() + interval '14 days'
update program p set counter = p.counter + 1, refreshed_at = :now, idle_expires_at = :idle_expires_at
where p.program_id = :program_id and p.counter = :counter
  and p.ended_at is null and p.idle_expires_at > :now and p.absolute_expires_at > :now
  and exists (select from app_user u where u.user_id = p.user_id and u.status = 'active')
  and (p.tenant_id is null
    or exists (select from membership m where m.tenant_id = p.tenant_id and m.user_id = p.user_id))
returning p.user_id, p.tenant_id

-- program_get --
-- Where a living program stands, and whose it is: for a refresh token that is not its newest.
-- index: program_pkey, app_user_pkey   rows: <= 1   scope: realm
-- with: program_id = (select program_id from program limit 1), now = now()
select p.counter, p.refreshed_at, p.tenant_id, p.name as program_name, u.user_id, u.email_raw, u.email_canon, u.name
from program p join app_user u on u.user_id = p.user_id
where p.program_id = :program_id and u.status = 'active'
  and p.ended_at is null and p.idle_expires_at > :now and p.absolute_expires_at > :now

-- program_person --
-- For whom a program acts, and as what: looked up for an access token.
-- index: program_pkey, app_user_pkey   rows: <= 1   scope: realm
-- with: program_id = (select program_id from program limit 1), now = now()
select u.user_id, p.program_id as session_id, p.tenant_id, m.role, u.email_raw as email, u.name,
  coalesce(t.name, '') as tenant_name
from program p
join app_user u on u.user_id = p.user_id
left join membership m on m.tenant_id = p.tenant_id and m.user_id = p.user_id
left join tenant t on t.tenant_id = p.tenant_id
where p.program_id = :program_id and u.status = 'active' and (p.tenant_id is null or m.role is not null)
  and p.ended_at is null and p.idle_expires_at > :now and p.absolute_expires_at > :now

-- program_list --
-- The programs that act for a person, the last used first.
-- index: program_user_idx   rows: <= 50   scope: realm
-- with: user_id = (select user_id from program limit 1), now = now()
select program_id, name, created_at, refreshed_at from program
where user_id = :user_id and ended_at is null and idle_expires_at > :now and absolute_expires_at > :now
order by refreshed_at desc limit 50

-- program_end --
-- A person ends one of their programs.
-- index: program_pkey   rows: <= 0   scope: realm
-- with: program_id = (select program_id from program limit 1), user_id = (select user_id from program limit 1), now = now()
update program set ended_at = :now where program_id = :program_id and user_id = :user_id and ended_at is null

-- program_end_all --
-- End all programs of a person: what they were given for has changed.
-- index: program_user_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from program limit 1), now = now()
update program set ended_at = :now where user_id = :user_id and ended_at is null

-- program_give_up --
-- End a program by its refresh token: its own wish, or because the token is in two hands.
-- index: program_pkey   rows: <= 1   scope: realm
-- with: program_id = (select program_id from program limit 1), now = now()
update program set ended_at = :now where program_id = :program_id and ended_at is null returning program_id

-- program_purge --
-- Forget a few programs whose time is over; each new one clears more than it adds.
-- index: program_expiry_idx, program_pkey   rows: <= 0   scope: realm
-- with: now = now() + interval '100 days'
delete from program where program_id = any (array(
  select program_id from program where absolute_expires_at < :now
  order by absolute_expires_at limit 10 for update skip locked
))

-- reset_account --
-- Who has this address, and by what they sign in: what a mail about a lost password depends on.
-- index: app_user_realm_id_email_canon_key, credential_user_password_idx, identity_user_idx   rows: <= 1   scope: realm
-- with: email_canon = (select email_canon from app_user limit 1)
select u.user_id, u.email_raw, u.email_canon, u.name, u.status, u.leaves_at,
  exists (select from credential c where c.user_id = u.user_id and c.kind = 'password') as has_password,
  array(select distinct i.provider from identity i where i.user_id = u.user_id order by i.provider) as providers
from app_user u where u.email_canon = :email_canon and u.verified_at is not null

-- reset_by_hash --
-- Whose password a mailed link would set, as long as it is good and they may sign in.
-- index: one_time_token_hash_idx, app_user_pkey   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'reset' limit 1), now = now()
select u.user_id, u.name, u.email_raw, u.email_canon
from one_time_token t join app_user u on u.user_id = t.user_id
where t.token_sha256 = :token_sha256 and t.purpose = 'reset' and t.used_at is null and t.expires_at > :now
  and u.status = 'active'

-- token_spend --
-- Use a link up: of any number that come at once, one gets the row.
-- index: one_time_token_hash_idx   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'sign_up' limit 1), purpose = 'sign_up', now = now()
update one_time_token set used_at = :now
where token_sha256 = :token_sha256 and purpose = :purpose and used_at is null and expires_at > :now
returning user_id, email_raw, email_canon, pending

-- token_close --
-- A person's open links of these kinds open nothing any more.
-- index: one_time_token_user_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from app_user limit 1), purposes = array['reset'], now = now()
update one_time_token set used_at = :now
where user_id = :user_id and purpose = any (:purposes::text[]) and used_at is null

-- credential_set --
-- A person's password, whether they had one or not.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: credential_id = gen_random_uuid(), user_id = (select user_id from app_user limit 1), password_hash = 'sample', now = now()
insert into credential (credential_id, user_id, kind, password_hash, changed_at)
values (:credential_id, :user_id, 'password', :password_hash, :now)
on conflict (realm_id, user_id) where kind = 'password'
do update set password_hash = excluded.password_hash, changed_at = excluded.changed_at

-- person_get --
-- Who a person is, for a session to begin: person and first organisation.
-- index: app_user_pkey, membership_user_idx   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1)
select u.user_id, u.email_raw, u.name, u.status, u.verified_at, m.tenant_id, m.role, t.name as tenant_name
from app_user u
left join lateral (
  select tenant_id, role from membership where user_id = u.user_id order by created_at limit 1
) m on true
left join tenant t on t.tenant_id = m.tenant_id
where u.user_id = :user_id

-- factors_held --
-- What a person can prove themselves with.
-- index: totp_pkey, passkey_user_idx, credential_user_password_idx, recovery_code_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from passkey limit 1)
select exists (select from totp where user_id = :user_id and confirmed_at is not null) as has_totp,
  exists (select from passkey where user_id = :user_id) as has_passkey,
  exists (select from credential where user_id = :user_id and kind = 'password') as has_password,
  (select count(*) from recovery_code where user_id = :user_id) as recovery_left

-- second_factor_asked --
-- Whether a person has a second factor, and what is known of their browser.
-- index: totp_pkey, passkey_user_idx, device_cookie_user_idx   rows: <= 1   scope: realm
-- with: user_id = (select user_id from device limit 1), cookie_sha256 = (select cookie_sha256 from device limit 1)
select exists (select from totp where user_id = :user_id and confirmed_at is not null)
    or exists (select from passkey where user_id = :user_id) as has_factor,
  d.device_id, d.trusted_until
from (values (:user_id::uuid)) person (user_id)
left join device d on d.cookie_sha256 = :cookie_sha256 and d.user_id = person.user_id

-- factor_challenge_create --
-- Something waits for a factor in this browser.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: challenge_sha256 = sha256(gen_random_uuid()::text::bytea), browser_sha256 = sha256('sample'), purpose = 'second', user_id = null::uuid, device_id = null::uuid, amr = 'pwd', expires_at = now()
insert into factor_challenge (challenge_sha256, browser_sha256, purpose, user_id, device_id, amr, expires_at)
values (:challenge_sha256, :browser_sha256, :purpose, :user_id, :device_id, :amr, :expires_at)

-- factor_challenge_get --
-- The second step that waits under this token.
-- index: factor_challenge_pkey   rows: <= 1   scope: realm
-- with: challenge_sha256 = (select challenge_sha256 from factor_challenge limit 1), tries_max = 5, now = now()
select user_id, device_id, amr from factor_challenge
where challenge_sha256 = :challenge_sha256 and purpose = 'second' and tries < :tries_max and expires_at > :now

-- factor_challenge_try --
-- Count a try at a second step before it is judged; no row when it has had its tries, or is over.
-- index: factor_challenge_pkey   rows: <= 1   scope: realm
-- with: challenge_sha256 = (select challenge_sha256 from factor_challenge limit 1), tries_max = 5, now = now()
update factor_challenge set tries = tries + 1
where challenge_sha256 = :challenge_sha256 and purpose = 'second' and tries < :tries_max and expires_at > :now
returning user_id, device_id, amr

-- factor_challenge_take --
-- Use a challenge up, from the browser and for the purpose it began with; no row for any other.
-- index: factor_challenge_pkey   rows: <= 1   scope: realm
-- with: challenge_sha256 = (select challenge_sha256 from factor_challenge limit 1), browser_sha256 = (select browser_sha256 from factor_challenge limit 1), purpose = 'second', now = now()
delete from factor_challenge
where challenge_sha256 = :challenge_sha256 and browser_sha256 = :browser_sha256 and purpose = :purpose and expires_at > :now
returning user_id, amr

-- factor_challenge_purge --
-- Forget a few that nobody came back to; each one clears more than it adds.
-- index: factor_challenge_expiry_idx, factor_challenge_pkey   rows: <= 0   scope: realm
-- with: now = now() + interval '1 hour'
delete from factor_challenge where challenge_sha256 = any (array(
  select challenge_sha256 from factor_challenge where expires_at < :now order by expires_at limit 10 for update skip locked
))

-- device_trust --
-- A browser that has shown the second factor is not asked for it for a while.
-- index: device_pkey   rows: <= 0   scope: realm
-- with: device_id = (select device_id from device limit 1), user_id = (select user_id from device limit 1), trusted_until = now()
update device set trusted_until = :trusted_until where device_id = :device_id and user_id = :user_id

-- device_distrust_all --
-- The factors have changed: every browser shows one again.
-- index: device_user_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from device limit 1)
update device set trusted_until = null where user_id = :user_id and trusted_until is not null

-- totp_begin --
-- A new secret waits for its first code; no row when an app is set up already.
-- index: none (insert)   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1), sealed = sha256('sample'), now = now()
insert into totp (user_id, sealed, created_at) values (:user_id, :sealed, :now)
on conflict (realm_id, user_id) do update set sealed = excluded.sealed, created_at = excluded.created_at
  where totp.confirmed_at is null
returning user_id

-- totp_get --
-- The sealed secret of a person's authenticator app, confirmed or waiting.
-- index: totp_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from totp limit 1)
select sealed, confirmed_at, created_at from totp where user_id = :user_id

-- totp_use --
-- Use a code up: its step must be newer than every one used before. Of many at once, one gets the row.
-- index: totp_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from totp limit 1), sealed = (select sealed from totp limit 1), step = 1::bigint, now = now()
update totp set last_step = :step, confirmed_at = coalesce(confirmed_at, :now)
where user_id = :user_id and sealed = :sealed and last_step < :step
returning user_id

-- totp_remove --
-- The authenticator app opens nothing any more.
-- index: totp_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from totp limit 1)
delete from totp where user_id = :user_id returning confirmed_at

-- recovery_replace --
-- New recovery codes; the ones before are dead.
-- index: recovery_code_pkey   rows: <= 0   scope: realm
-- with: user_id = (select user_id from app_user limit 1), codes_sha256 = array[sha256(gen_random_uuid()::text::bytea)], now = now()
with before as (delete from recovery_code where user_id = :user_id)
insert into recovery_code (user_id, code_sha256, created_at)
select :user_id, code, :now from unnest(:codes_sha256::bytea[]) as code

-- recovery_use --
-- Use a recovery code up; no row when it is none, or was used.
-- index: recovery_code_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from recovery_code limit 1), code_sha256 = (select code_sha256 from recovery_code limit 1)
delete from recovery_code where user_id = :user_id and code_sha256 = :code_sha256 returning user_id

-- recovery_forget --
-- Without a factor to recover, the codes open nothing.
-- index: recovery_code_pkey   rows: <= 0   scope: realm
-- with: user_id = (select user_id from recovery_code limit 1)
delete from recovery_code where user_id = :user_id

-- passkey_create --
-- A person's new passkey; no row when it is known already, or they have as many as they may.
-- index: passkey_user_idx   rows: <= 1   scope: realm
-- with: passkey_id = gen_random_uuid(), user_id = (select user_id from passkey limit 1), rp_id = 'localhost', credential_id = sha256(gen_random_uuid()::text::bytea), public_key = sha256('sample'), sign_count = 0::bigint, name = 'Sample', now = now(), passkeys_max = 20
insert into passkey (passkey_id, user_id, rp_id, credential_id, public_key, sign_count, name, created_at)
select :passkey_id, :user_id, :rp_id, :credential_id, :public_key, :sign_count, :name, :now
where (select count(*) from passkey where user_id = :user_id) < :passkeys_max
on conflict (realm_id, credential_id) do nothing
returning passkey_id

-- passkey_list --
-- A person's passkeys, the oldest first.
-- index: passkey_user_idx   rows: <= 50   scope: realm
-- with: user_id = (select user_id from passkey limit 1)
select passkey_id, rp_id, credential_id, name, created_at, last_used_at from passkey
where user_id = :user_id order by created_at limit 50

-- passkey_by_credential --
-- Whose passkey answers, and what verifies it.
-- index: passkey_realm_id_credential_id_key   rows: <= 1   scope: realm
-- with: credential_id = (select credential_id from passkey limit 1)
select passkey_id, user_id, rp_id, public_key, name from passkey where credential_id = :credential_id

-- passkey_used --
-- A passkey was shown. Its counter grows, or stays at nought where it keeps none; no row when it went back.
-- index: passkey_pkey   rows: <= 1   scope: realm
-- with: passkey_id = (select passkey_id from passkey limit 1), sign_count = 1::bigint, now = now()
update passkey set sign_count = :sign_count, last_used_at = :now
where passkey_id = :passkey_id and (sign_count < :sign_count or (sign_count = 0 and :sign_count = 0))
returning passkey_id

-- passkey_rename --
-- What its owner calls it.
-- index: passkey_user_idx   rows: <= 0   scope: realm
-- with: passkey_id = (select passkey_id from passkey limit 1), user_id = (select user_id from passkey limit 1), name = 'Sample'
update passkey set name = :name where passkey_id = :passkey_id and user_id = :user_id

-- passkey_remove --
-- A passkey opens nothing any more.
-- index: passkey_user_idx   rows: <= 1   scope: realm
-- with: passkey_id = (select passkey_id from passkey limit 1), user_id = (select user_id from passkey limit 1)
delete from passkey where passkey_id = :passkey_id and user_id = :user_id returning name

-- address_hold --
-- Of all who would take one address at the same moment, one goes on; the others wait until it is decided.
-- index: none (a lock)   rows: <= 1   scope: realm
-- with: email_canon = 'a@b.example'
select pg_advisory_xact_lock(hashtextextended(my_realm()::text || :email_canon, 0))

-- address_move --
-- A person has another address from now on; no row when somebody else has it. Whoever was leaving stays.
-- index: app_user_pkey, app_user_realm_id_email_canon_key   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1), email_raw = 'a@b.example', email_canon = gen_random_uuid()::text
update app_user set email_raw = :email_raw, email_canon = :email_canon, leaves_at = null,
  status = case status when 'leaving' then 'active' else status end
where user_id = :user_id
  and not exists (select from app_user other where other.email_canon = :email_canon and other.user_id <> :user_id)
returning user_id

-- address_by_hash --
-- The address that a mailed link would set, or restore.
-- index: one_time_token_hash_idx   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from one_time_token where purpose = 'reset' limit 1), purpose = 'reset', now = now()
select user_id, email_raw from one_time_token
where token_sha256 = :token_sha256 and purpose = :purpose and used_at is null and expires_at > :now

-- credential_forget --
-- A password that somebody else knew opens nothing any more.
-- index: credential_user_password_idx   rows: <= 0   scope: realm
-- with: user_id = (select user_id from credential limit 1)
delete from credential where user_id = :user_id and kind = 'password'

-- organisations_hold --
-- A person's organisations, held so that two owners who leave at once see one another.
-- index: membership_user_idx, tenant_pkey   rows: <= 1000   scope: realm
-- with: user_id = (select user_id from membership limit 1)
select t.tenant_id, t.name from tenant t
where t.tenant_id in (select m.tenant_id from membership m where m.user_id = :user_id)
order by t.tenant_id for update

-- organisations_left_ownerless --
-- Those in which others would be left without an owner.
-- index: membership_user_idx, membership_owner_idx, app_user_pkey   rows: <= 1000   scope: realm
-- with: user_id = (select user_id from membership where role = 'owner' limit 1)
select m.tenant_id, (
    select count(*) from membership other where other.tenant_id = m.tenant_id and other.user_id <> m.user_id
      and (select u.status from app_user u where u.user_id = other.user_id) <> 'leaving'
  ) as others
from membership m
where m.user_id = :user_id and m.role = 'owner' and exists (
  select from membership other where other.tenant_id = m.tenant_id and other.user_id <> m.user_id
    and (select u.status from app_user u where u.user_id = other.user_id) <> 'leaving'
) and not exists (
  select from membership other where other.tenant_id = m.tenant_id and other.user_id <> m.user_id and other.role = 'owner'
    and (select u.status from app_user u where u.user_id = other.user_id) = 'active'
)

-- user_leave --
-- A person leaves: shut out now, erased at `leaves_at`. No row when they were shut out already.
-- index: app_user_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1), leaves_at = now()
update app_user set status = 'leaving', leaves_at = :leaves_at where user_id = :user_id and status = 'active'
returning user_id

-- user_stay --
-- A person who was leaving stays.
-- index: app_user_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1)
update app_user set status = 'active', leaves_at = null where user_id = :user_id and status = 'leaving'
returning user_id

-- user_erase --
-- Erase a person whose time to take it back is over, with all that hangs on them, and the mails to their address.
-- index: app_user_pkey, one_time_token_email_idx   rows: <= 1   scope: realm   role: worker
-- with: user_id = (select user_id from app_user limit 1), now = now()
with gone as (
  delete from app_user where user_id = :user_id and status = 'leaving' and leaves_at <= :now returning user_id, email_canon
), letters as (
  delete from one_time_token using gone where one_time_token.email_canon = gone.email_canon
)
select user_id from gone

-- user_set_status --
-- An administrator shuts a person out, or lets them in again; no row for somebody who is leaving.
-- index: app_user_pkey   rows: <= 1   scope: realm
-- with: user_id = (select user_id from app_user limit 1), status = 'disabled'
update app_user set status = :status where user_id = :user_id and status <> 'leaving' returning user_id

-- person_names --
-- What people are called whose ids stand in the audit trail.
-- index: app_user_pkey   rows: <= 50   scope: realm
-- with: user_ids = array(select user_id from app_user limit 3)
select user_id, name from app_user where user_id = any(:user_ids::uuid[])

-- person_tenants --
-- In which organisations a person is, and by what address, before they are erased.
-- index: membership_user_idx, app_user_pkey   rows: <= 1000   scope: realm   role: worker
-- with: user_id = (select user_id from app_user limit 1)
select m.tenant_id, u.email_canon from membership m join app_user u on u.user_id = m.user_id where m.user_id = :user_id
