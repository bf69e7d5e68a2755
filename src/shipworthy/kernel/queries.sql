-- tenant_create --
-- Create a tenant in the realm.
-- index: none (insert)   rows: <= 0
-- scope: realm
-- with: tenant_id = gen_random_uuid(), name = 'Sample', slug = 'sample-' || substr(gen_random_uuid()::text, 1, 8), country = 'DE', time_zone = 'Europe/Berlin'
insert into tenant (tenant_id, name, slug, country, time_zone) values (:tenant_id, :name, :slug, :country, :time_zone)

-- idempotency_claim --
-- Take a key for this request; no row means that it was taken before.
-- index: none (insert)   rows: <= 1
-- with: principal_id = gen_random_uuid(), key = 'sample', request_sha256 = '\x00'::bytea
insert into idempotency_key (principal_id, key, request_sha256) values (:principal_id, :key, :request_sha256)
on conflict do nothing returning key

-- idempotency_finish --
-- Remember the answer, in the transaction of its effect.
-- index: idempotency_key_pkey   rows: <= 0
-- with: status = 200, headers = '{}'::jsonb, body = '\x00'::bytea, principal_id = gen_random_uuid(), key = 'sample'
update idempotency_key set status = :status, headers = :headers, body = :body
where principal_id = :principal_id and key = :key

-- idempotency_get --
-- The answer that was given the first time.
-- index: idempotency_key_pkey   rows: <= 1
-- with: principal_id = gen_random_uuid(), key = 'sample'
select request_sha256, status, headers, body from idempotency_key where principal_id = :principal_id and key = :key

-- audit_write --
-- Record a change in the transaction that makes it, and tell the sealer whose chain grew.
-- index: none (insert)   rows: <= 0
-- with: audit_id = gen_random_uuid(), at = now(), actor_id = null::uuid, action = 'sample', object_type = 'sample', object_id = '1', detail = '{}'::jsonb, trace_id = 'sample'
with due as (insert into audit_due (realm_id, tenant_id) values (my_realm(), my_tenant()))
insert into audit (audit_id, at, actor_id, action, object_type, object_id, detail, trace_id)
values (:audit_id, :at, :actor_id, :action, :object_type, :object_id, :detail, :trace_id)

-- realm_audit_write --
-- Record what happened before a tenant was known.
-- index: none (insert)   rows: <= 0
-- scope: realm
-- with: audit_id = gen_random_uuid(), at = now(), actor_id = null::uuid, action = 'sample', object_type = 'sample', object_id = '1', detail = '{}'::jsonb, trace_id = 'sample'
insert into realm_audit (audit_id, at, actor_id, action, object_type, object_id, detail, trace_id)
values (:audit_id, :at, :actor_id, :action, :object_type, :object_id, :detail, :trace_id)

-- audit_due_take --
-- Take the list of tenants whose chains grew; the worker seals each.
-- index: none (a short list, emptied every second)   rows: <= 10000   role: worker
delete from audit_due returning realm_id, tenant_id

-- audit_head_lock --
-- The end of this tenant's chain, held while it grows.
-- index: audit_head_pkey   rows: <= 1   role: worker
select seq, hash from audit_head where tenant_id = my_tenant() for update

-- audit_unsealed --
-- Rows that are written and not yet chained, oldest first.
-- index: audit_tenant_unsealed_idx   rows: <= 500   role: worker
select audit_id, at, actor_id, action, object_type, object_id, detail, trace_id
from audit where seq is null order by audit_id limit 500

-- audit_seal --
-- Give one row its place in the chain.
-- index: audit_pkey   rows: <= 0   role: worker
-- with: audit_id = gen_random_uuid(), seq = 1::bigint, prev = '\x00'::bytea, hash = '\x00'::bytea
update audit set seq = :seq, prev = :prev, hash = :hash where audit_id = :audit_id and seq is null

-- audit_head_move --
-- Move the end of the chain, and what anchors are made of with it.
-- index: none (insert)   rows: <= 0   role: worker
-- with: seq = 1::bigint, hash = '\x00'::bytea
with tip as (
  insert into audit_tip (tenant_id, seq, hash) values (my_tenant(), :seq, :hash)
  on conflict (realm_id, tenant_id) do update set seq = excluded.seq, hash = excluded.hash
)
insert into audit_head (seq, hash) values (:seq, :hash)
on conflict (tenant_id) do update set seq = excluded.seq, hash = excluded.hash

-- audit_chain --
-- The sealed chain in order, a page at a time, for verification.
-- index: audit_tenant_seq_idx   rows: <= 5000
-- with: after = 0::bigint
select audit_id, at, actor_id, action, object_type, object_id, detail, trace_id, seq, prev, hash
from audit where seq > :after order by seq limit 5000

-- job_enqueue --
-- Queue a job in the caller's transaction; a job of the same key that still waits or runs stays alone.
-- index: none (insert)   rows: <= 1
-- with: kind = 'sample', payload = '\x7b7d'::bytea, dedupe_key = gen_random_uuid()::text, headers = '{}'::jsonb, after_s = 0
insert into pgqueuer (priority, entrypoint, payload, dedupe_key, headers, status, execute_after)
values (0, :kind, :payload, :dedupe_key, :headers, 'queued', now() + :after_s::int * interval '1 second')
on conflict (dedupe_key) where status in ('queued', 'picked') and dedupe_key is not null do nothing
returning id

-- session_create --
-- A new session of a person on a device.
-- index: none (insert)   rows: <= 0   scope: realm
-- with: session_id = gen_random_uuid(), token_sha256 = gen_random_uuid()::text::bytea, user_id = gen_random_uuid(), device_id = gen_random_uuid(), device_name = 'Sample', tenant_id = null::uuid, tenant_name = '', role = null::text, email = 'a@b.c', name = '', language = '', amr = 'pwd', now = now(), idle_expires_at = now(), absolute_expires_at = now()
insert into session (session_id, token_sha256, user_id, device_id, device_name, tenant_id, tenant_name, role, email, name,
  language, amr, proven_at, created_at, last_seen_at, idle_expires_at, absolute_expires_at, is_operator)
values (:session_id, :token_sha256, :user_id, :device_id, :device_name, :tenant_id, :tenant_name, :role, :email, :name,
  :language, :amr, :now, :now, :now, :idle_expires_at, :absolute_expires_at,
  exists (select from operator where user_id = :user_id))

-- session_by_token --
-- The live session a cookie stands for. Its person was here: their idle end moves, at most once a minute.
-- index: session_realm_id_token_sha256_key, session_pkey   rows: <= 1   scope: realm
-- with: token_sha256 = (select token_sha256 from session limit 1), now = now(), seen_before = now() - interval '1 minute', idle_expires_at = now()
with live as (
  select session_id, user_id, tenant_id, tenant_name, role, email, name, language, is_operator, last_seen_at, amr,
    coalesce(proven_at, created_at) as proven_at, idle_expires_at, absolute_expires_at
  from session
  where token_sha256 = :token_sha256 and revoked_at is null and idle_expires_at > :now and absolute_expires_at > :now
), touched as (
  update session set last_seen_at = :now, idle_expires_at = least(:idle_expires_at, session.absolute_expires_at)
  from live where session.session_id = live.session_id and live.last_seen_at < :seen_before and session.revoked_at is null
)
select * from live

-- session_renew --
-- Give a session another token, and its person's new proof where there was one: its old token, no row when it has ended.
-- index: session_pkey   rows: <= 1   scope: realm
-- with: session_id = (select session_id from session limit 1), token_sha256 = gen_random_uuid()::text::bytea, amr = null::text, proven_at = null::timestamptz, email = null::text, tenant_id = null::uuid, tenant_name = null::text, role = null::text
with old as (select session_id, token_sha256 from session where session_id = :session_id and revoked_at is null for update)
update session set token_sha256 = :token_sha256, amr = coalesce(:amr, amr), proven_at = coalesce(:proven_at, proven_at),
  email = coalesce(:email, email), tenant_id = coalesce(:tenant_id, tenant_id), tenant_name = coalesce(:tenant_name, tenant_name),
  role = coalesce(:role, role)
from old where session.session_id = old.session_id
returning old.token_sha256

-- session_revoke --
-- End one session: its token. Who it was and on what, it says no longer.
-- index: session_pkey   rows: <= 1   scope: realm
-- with: session_id = (select session_id from session limit 1), now = now()
update session set revoked_at = :now, email = '', name = '', device_name = '', tenant_name = ''
where session_id = :session_id and revoked_at is null
returning token_sha256

-- session_revoke_of_user --
-- End all sessions of a person but one: their tokens. Who it was and on what, they say no longer.
-- index: session_user_device_idx   rows: <= 1000   scope: realm
-- with: user_id = (select user_id from session limit 1), keep = gen_random_uuid(), now = now()
update session set revoked_at = :now, email = '', name = '', device_name = '', tenant_name = ''
where user_id = :user_id and revoked_at is null and session_id <> :keep
returning token_sha256

-- session_rename_of_user --
-- A person changed their name: show it in all their sessions, whose tokens these are.
-- index: session_user_device_idx   rows: <= 1000   scope: realm
-- with: user_id = (select user_id from session limit 1), name = 'Sample'
update session set name = :name where user_id = :user_id and revoked_at is null
returning token_sha256

-- session_speak_to_user --
-- A person chose a language: all their sessions, whose tokens these are, speak it.
-- index: session_user_device_idx   rows: <= 1000   scope: realm
-- with: user_id = (select user_id from session limit 1), language = 'de'
update session set language = :language where user_id = :user_id and revoked_at is null
returning token_sha256

-- session_role_of_user --
-- A person's role in a tenant changed, or is gone: their sessions for it, whose tokens these are, act accordingly.
-- index: session_user_device_idx   rows: <= 1000   scope: realm
-- with: user_id = (select user_id from session limit 1), tenant_id = (select tenant_id from session limit 1), role = 'member'
update session set role = :role, tenant_id = case when :role::text is null then null else tenant_id end,
  tenant_name = case when :role::text is null then '' else tenant_name end
where user_id = :user_id and tenant_id = :tenant_id and revoked_at is null
returning token_sha256

-- session_rename_of_tenant --
-- A tenant has another name: show it in all sessions that act for it, whose tokens these are.
-- index: session_tenant_idx   rows: <= 10000   scope: realm
-- with: tenant_id = (select tenant_id from session limit 1), name = 'Sample'
update session set tenant_name = :name where tenant_id = :tenant_id and revoked_at is null
returning token_sha256

-- session_list_of_user --
-- A person's live sessions by device, for the account page.
-- index: session_user_device_idx   rows: <= 100   scope: realm
-- with: user_id = (select user_id from session limit 1), now = now()
select session_id, device_id, device_name, created_at, last_seen_at
from session
where user_id = :user_id and revoked_at is null and idle_expires_at > :now and absolute_expires_at > :now
order by device_id, last_seen_at desc limit 100

-- audit_head_get --
-- The recorded end of this tenant's chain, for verification.
-- index: audit_head_pkey   rows: <= 1
select seq, hash from audit_head where tenant_id = my_tenant()

-- audit_unsealed_count --
-- How many rows wait for the sealer (a handful, for a second).
-- index: audit_tenant_unsealed_idx   rows: <= 1
select count(*) as rows from audit where seq is null

-- limit_take --
-- Count one request of a key; `wait_s` says how long it has to wait instead.
-- index: none (a function that counts)   rows: <= 1
-- scope: realm
-- with: key = decode(md5(random()::text), 'hex'), each_s = 1.0, tolerance_s = 10.0
select extract(epoch from limit_wait(:key, make_interval(secs => :each_s), make_interval(secs => :tolerance_s)))::float8 as wait_s

-- limit_purge --
-- Forget some keys that owe nothing any more.
-- index: edge_limit_paid_idx, edge_limit_pkey   rows: <= 0
-- scope: realm
delete from edge_limit where key = any (array(
  select key from edge_limit where paid_until < now() - interval '1 minute' order by paid_until limit 1000 for update skip locked
))

-- audit_tips --
-- The ends of all chains of the realm, a page at a time, for an anchor.
-- index: audit_tip_pkey   rows: <= 1000   role: worker   scope: realm
-- with: after = '00000000-0000-0000-0000-000000000000'::uuid
select tenant_id, seq, hash from audit_tip where tenant_id > :after order by tenant_id limit 1000

-- audit_anchor_turn --
-- Ask for the turn to anchor, until the transaction ends; of several workers one has it.
-- index: none (a lock)   rows: <= 1   role: worker   scope: realm
select pg_try_advisory_xact_lock(hashtextextended('audit_anchor/' || my_realm(), 0)) as is_mine

-- audit_anchor_last --
-- The last anchor: when it was signed, of what, and the hash of its file.
-- index: audit_anchor_pkey   rows: <= 1   scope: realm
select number, at, root, sha256 from audit_anchor order by number desc limit 1

-- audit_anchor_write --
-- Note an anchor; of two workers with one number the second is refused.
-- index: none (insert)   rows: <= 0   role: worker   scope: realm
-- with: number = 1000000000::bigint, at = now(), root = '\x00'::bytea, sha256 = '\x00'::bytea
insert into audit_anchor (number, at, root, sha256) values (:number, :at, :root, :sha256)

-- audit_personal_write --
-- Keep a personal value beside the chain, with the salt of its commitment.
-- index: none (insert)   rows: <= 0
-- with: audit_id = gen_random_uuid(), name = 'email', subject = 'user:1', value = 'a@b.c', salt = '\x00'::bytea
insert into audit_personal (audit_id, name, subject, value, salt) values (:audit_id, :name, :subject, :value, :salt)

-- audit_personal_erase --
-- Erase what the trail keeps of somebody; the chain stays as it is.
-- index: audit_personal_subject_idx   rows: <= 0
-- with: subject = 'user:1'
delete from audit_personal where subject = :subject

-- audit_personal_get --
-- The personal values of a page of the trail that were not erased.
-- index: audit_personal_pkey   rows: <= 10000
-- with: audit_ids = array[gen_random_uuid()]
select audit_id, name, value, salt from audit_personal where audit_id = any(:audit_ids::uuid[])

-- audit_trail --
-- The trail for people, newest first, a page at a time.
-- index: audit_pkey   rows: <= 51
-- with: before = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select audit_id, at, actor_id, action, object_type, object_id, detail, trace_id, seq
from (select audit_id as id from audit where audit_id < :before order by audit_id desc limit 51) as page
join audit on audit_id = id order by audit_id desc

-- audit_bounds --
-- The first and the last sealed row that were written between two ids; ids follow the time.
-- index: audit_pkey   rows: <= 1
-- with: since = '00000000-0000-0000-0000-000000000000'::uuid, before = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select
  (select seq from audit where audit_id >= :since and audit_id < :before and seq is not null order by audit_id limit 1) as first,
  (select seq from audit where audit_id >= :since and audit_id < :before and seq is not null order by audit_id desc limit 1) as last

-- audit_part --
-- Sealed rows from one place in the chain to another, a page at a time, for an export.
-- index: audit_tenant_seq_idx   rows: <= 1000
-- with: after = 0::bigint, last = 1000::bigint
select audit_id, at, actor_id, action, object_type, object_id, detail, trace_id, seq, prev, hash
from audit where seq > :after and seq <= :last order by seq limit 1000

-- audit_export_ask --
-- A new export of the trail.
-- index: none (insert)   rows: <= 0
-- with: export_id = gen_random_uuid(), kind = 'csv', from_day = null::date, to_day = null::date, asked_by = null::uuid, now = now()
insert into audit_export (export_id, kind, from_day, to_day, asked_by, asked_at)
values (:export_id, :kind, :from_day, :to_day, :asked_by, :now)

-- audit_export_waiting --
-- How many exports are being made.
-- index: audit_export_asked_idx   rows: <= 1
select count(*) as waiting from (select from audit_export where status = 'making' order by asked_at desc limit 100) as making

-- audit_export_get --
-- One export and how far it is.
-- index: audit_export_pkey   rows: <= 1
-- with: export_id = gen_random_uuid()
select export_id, kind, from_day, to_day, status, rows_done, rows_total, bytes, asked_by, asked_at, made_at
from audit_export where export_id = :export_id

-- audit_export_list --
-- The latest exports that are still kept.
-- index: audit_export_asked_idx   rows: <= 50
select export_id, kind, from_day, to_day, status, rows_done, rows_total, bytes, asked_by, asked_at, made_at
from audit_export order by asked_at desc, export_id limit 50

-- audit_export_progress --
-- How far an export is.
-- index: audit_export_pkey   rows: <= 0   role: worker
-- with: export_id = gen_random_uuid(), rows_done = 1::bigint, rows_total = 2::bigint
update audit_export set rows_done = :rows_done, rows_total = :rows_total where export_id = :export_id and status = 'making'

-- audit_export_made --
-- An export is in the file store.
-- index: audit_export_pkey   rows: <= 0   role: worker
-- with: export_id = gen_random_uuid(), rows = 1::bigint, bytes = 1::bigint, now = now()
update audit_export set status = 'made', rows_done = :rows, rows_total = :rows, bytes = :bytes, made_at = :now
where export_id = :export_id and status = 'making'

-- audit_export_drop --
-- Forget an export whose file is deleted.
-- index: audit_export_pkey   rows: <= 0   role: worker
-- with: export_id = gen_random_uuid()
delete from audit_export where export_id = :export_id

-- tenant_ids --
-- All tenants of the realm, a page at a time, for verifying their chains.
-- index: tenant_pkey   rows: <= 1000   scope: realm
-- with: after = '00000000-0000-0000-0000-000000000000'::uuid
select tenant_id from tenant where tenant_id > :after order by tenant_id limit 1000

-- session_operator_of_user --
-- A person became an operator, or is one no longer: all their sessions, whose tokens these are.
-- index: session_user_device_idx   rows: <= 1000   scope: realm   role: worker
-- with: user_id = (select user_id from session limit 1), is_operator = false
update session set is_operator = :is_operator where user_id = :user_id and revoked_at is null
returning token_sha256

-- operator_add --
-- Name somebody an operator; no row where they are one.
-- index: none (insert)   rows: <= 1   scope: realm   role: worker
-- with: user_id = gen_random_uuid(), now = now()
insert into operator (user_id, added_at) values (:user_id, :now) on conflict do nothing returning user_id

-- operator_remove --
-- Let somebody be an operator no longer; no row where they were none.
-- index: none (a handful of rows)   rows: <= 1   scope: realm   role: worker
-- with: user_id = gen_random_uuid()
delete from operator where user_id = :user_id returning user_id

-- operator_list --
-- Who runs this installation; a handful.
-- index: none (a handful of rows)   rows: <= 1000   scope: realm   role: worker
select user_id from operator order by added_at, user_id limit 1000

-- budget_get --
-- How one meter of the tenant stands, and what the operator gives it where that is not what everybody gets.
-- index: budget_pkey, tenant_limit_pkey   rows: <= 1
-- with: meter = 'mails', period = date '2026-01-01'
select coalesce(budget.used, 0) as used, coalesce(budget.reserved, 0) as reserved, own.most, own.meter is not null as has_own
from (select 1) as one
left join budget on budget.meter = :meter and budget.period = :period
left join tenant_limit own on own.meter = :meter

-- budget_list --
-- How every meter of the tenant stands, each in its period.
-- index: budget_pkey, tenant_limit_pkey   rows: <= 20
-- with: meters = array['mails'], periods = array[date '2026-01-01']
select wanted.meter, coalesce(budget.used, 0) as used, coalesce(budget.reserved, 0) as reserved, own.most,
  own.meter is not null as has_own,
  (select count(*) from job_waiting where job_waiting.meter = wanted.meter) as waiting
from unnest(:meters::text[], :periods::date[]) as wanted (meter, period)
left join budget on budget.meter = wanted.meter and budget.period = wanted.period
left join tenant_limit own on own.meter = wanted.meter

-- budget_reserve --
-- Reserve an amount where there is so much left; no row where there is not.
-- index: none (insert)   rows: <= 1
-- with: meter = 'mails', period = date '2026-01-01', amount = 1::bigint, most = 9::bigint
insert into budget (meter, period, reserved) values (:meter, :period, :amount)
on conflict (tenant_id, meter, period) do update set reserved = budget.reserved + excluded.reserved
where budget.used + budget.reserved + excluded.reserved <= :most
returning reserved

-- usage_hold_get --
-- What an earlier try of this source reserved and did not give back.
-- index: usage_hold_pkey   rows: <= 1
-- with: meter = 'mails', source = 'sample'
select period, amount from usage_hold where meter = :meter and source = :source

-- usage_hold_add --
-- Note what is reserved for a source.
-- index: none (insert)   rows: <= 0
-- with: meter = 'mails', source = gen_random_uuid()::text, period = date '2026-01-01', amount = 1::bigint, now = now()
insert into usage_hold (meter, source, period, amount, at) values (:meter, :source, :period, :amount, :now)

-- usage_commit --
-- Count what a source used, once; give back what was reserved for it; have its tenant looked at.
-- index: usage_hold_pkey   rows: <= 0
-- with: meter = 'mails', source = gen_random_uuid()::text, amount = 1::bigint, period = date '2026-01-01', day = date '2026-01-01', now = now()
with event as (
  insert into usage_event (meter, source, period, amount, at)
  select :meter, :source, :period::date, :amount, :now::timestamptz where :amount::bigint > 0
  on conflict do nothing returning amount
), hold as (
  delete from usage_hold where meter = :meter and source = :source returning period, amount
), before as (
  update budget set reserved = budget.reserved - hold.amount from hold
  where budget.meter = :meter and budget.period = hold.period and hold.period <> :period
), day as (
  insert into usage_day (meter, day, amount) select :meter, :day, amount from event
  on conflict (tenant_id, meter, day) do update set amount = usage_day.amount + excluded.amount
), due as (
  insert into usage_due (realm_id, tenant_id, at) select my_realm(), my_tenant(), :now::timestamptz from event
)
insert into budget (meter, period, used)
select :meter, :period, coalesce((select amount from event), 0)
on conflict (tenant_id, meter, period) do update set used = budget.used + excluded.used,
  reserved = budget.reserved - coalesce((select amount from hold where hold.period = excluded.period), 0)

-- usage_release --
-- Give back what was reserved for a source that will not run again.
-- index: usage_hold_pkey   rows: <= 0
-- with: meter = 'mails', source = 'sample'
with hold as (delete from usage_hold where meter = :meter and source = :source returning period, amount)
update budget set reserved = budget.reserved - hold.amount
from hold where budget.meter = :meter and budget.period = hold.period

-- usage_hold_old --
-- Give back what was reserved for jobs that nobody tries any more.
-- index: usage_hold_pkey   rows: <= 0   role: worker
-- with: before = now() - interval '2 days'
with hold as (delete from usage_hold where at < :before returning meter, period, amount),
sums as (select meter, period, sum(amount) as amount from hold group by meter, period)
update budget set reserved = budget.reserved - sums.amount
from sums where budget.meter = sums.meter and budget.period = sums.period

-- usage_fold --
-- Make one event a day of the batches that nobody writes again.
-- index: none (all old batches of a tenant, once)   rows: <= 0   role: worker
-- with: before = now() - interval '2 days'
with old as (
  delete from usage_event where meter = 'crawl_bytes' and at < :before and source like 'crawl:%' returning period, amount, at
)
insert into usage_event (meter, source, period, amount, at)
select 'crawl_bytes', 'day:' || (at at time zone 'utc')::date, period, sum(amount), max(at) from old
group by (at at time zone 'utc')::date, period
on conflict (tenant_id, meter, source) do update set amount = usage_event.amount + excluded.amount

-- stored_hold --
-- One after another: who changes a tenant's storage waits for who does already.
-- index: none (insert)   rows: <= 0
insert into budget (meter, period) values ('storage_bytes', date '1970-01-01')
on conflict (tenant_id, meter, period) do update set used = budget.used

-- stored_put --
-- Write down what an object takes, in the place of what it took before. The budget is held already.
-- index: usage_event_pkey   rows: <= 0
-- with: source = gen_random_uuid()::text, amount = 1::bigint, day = date '2026-01-01', now = now()
with before as (
  select amount from usage_event where meter = 'storage_bytes' and source = :source
), event as (
  insert into usage_event (meter, source, period, amount, at)
  values ('storage_bytes', :source, date '1970-01-01', :amount, :now)
  on conflict (tenant_id, meter, source) do update set amount = excluded.amount, at = excluded.at
), moved as (
  update budget set used = used + :amount - coalesce((select amount from before), 0)
  where meter = 'storage_bytes' and period = date '1970-01-01' returning used
), due as (
  insert into usage_due (realm_id, tenant_id, at) values (my_realm(), my_tenant(), :now)
)
insert into usage_day (meter, day, amount) select 'storage_bytes', :day, used from moved
on conflict (tenant_id, meter, day) do update set amount = excluded.amount

-- stored_drop --
-- Write down that an object is gone. The budget is held already.
-- index: usage_event_pkey   rows: <= 0
-- with: source = 'sample', day = date '2026-01-01', now = now()
with event as (
  delete from usage_event where meter = 'storage_bytes' and source = :source returning amount
), moved as (
  update budget set used = used - event.amount from event
  where budget.meter = 'storage_bytes' and budget.period = date '1970-01-01' returning used
), due as (
  insert into usage_due (realm_id, tenant_id, at) select my_realm(), my_tenant(), :now::timestamptz from event
)
insert into usage_day (meter, day, amount) select 'storage_bytes', :day, used from moved
on conflict (tenant_id, meter, day) do update set amount = excluded.amount

-- usage_drift --
-- Where a budget does not say what its events and holds say. Nothing, unless something is broken.
-- index: none (all of a tenant's budgets, against all of its events)   rows: <= 100
select budget.meter, budget.period, budget.used, budget.reserved,
  coalesce(events.amount, 0)::bigint as counted, coalesce(holds.amount, 0)::bigint as held
from budget
left join (select meter, period, sum(amount) as amount from usage_event group by meter, period) events
  on events.meter = budget.meter and events.period = budget.period
left join (select meter, period, sum(amount) as amount from usage_hold group by meter, period) holds
  on holds.meter = budget.meter and holds.period = budget.period
where budget.used <> coalesce(events.amount, 0) or budget.reserved <> coalesce(holds.amount, 0)
order by budget.meter, budget.period limit 100

-- usage_days --
-- What was used day by day, for charts and forecasts.
-- index: usage_day_pkey   rows: <= 400
-- with: since = date '2026-01-01'
select meter, day, amount from usage_day where day >= :since order by meter, day limit 400

-- job_wait --
-- Let a job wait until there is budget again.
-- index: none (insert)   rows: <= 0
-- with: kind = 'sample', source = gen_random_uuid()::text, meter = 'mails', renews_at = now(), now = now()
with due as (insert into usage_due (realm_id, tenant_id, at) values (my_realm(), my_tenant(), coalesce(:renews_at::timestamptz, :now)))
insert into job_waiting (kind, source, meter, renews_at, at) values (:kind, :source, :meter, :renews_at, :now)
on conflict do nothing

-- job_waiting_get --
-- Whether a job waits for budget, and until when.
-- index: job_waiting_pkey   rows: <= 1
-- with: kind = 'sample', source = 'sample'
select meter, renews_at from job_waiting where kind = :kind and source = :source

-- job_waiting_next --
-- The jobs that wait for a meter, the longest first.
-- index: job_waiting_meter_idx   rows: <= 200   role: worker
-- with: meter = 'mails'
select kind, source from job_waiting where meter = :meter order by at, kind, source limit 200

-- job_waiting_drop --
-- A job is queued again.
-- index: job_waiting_pkey   rows: <= 0   role: worker
-- with: kind = 'sample', source = 'sample'
delete from job_waiting where kind = :kind and source = :source

-- usage_due_take --
-- Take the list of tenants that are to be looked at by now.
-- index: usage_due_at_idx   rows: <= 10000   role: worker
-- with: now = now()
delete from usage_due where at <= :now returning realm_id, tenant_id

-- usage_due_add --
-- Have a tenant looked at from a moment on.
-- index: none (insert)   rows: <= 0
-- with: at = now()
insert into usage_due (realm_id, tenant_id, at) values (my_realm(), my_tenant(), :at)

-- usage_notice_add --
-- Note that somebody must be told of a budget; no row where they were, in this period.
-- index: none (insert)   rows: <= 1
-- with: meter = 'mails', period = date '2026-01-01', kind = '50', used = 1::bigint, most = 2::bigint, expected_at = null::timestamptz, now = now()
insert into usage_notice (meter, period, kind, used, most, expected_at, at)
values (:meter, :period, :kind, :used, :most, :expected_at, :now)
on conflict do nothing returning kind

-- usage_notice_lock --
-- One notice, held while it is told.
-- index: usage_notice_pkey   rows: <= 1   role: worker
-- with: meter = 'mails', period = date '2026-01-01', kind = '50'
select meter, period, kind, used, most, expected_at, at, mailed_at, posted_at from usage_notice
where meter = :meter and period = :period and kind = :kind for update

-- usage_notice_told --
-- Note by which ways a notice was told.
-- index: usage_notice_pkey   rows: <= 0   role: worker
-- with: meter = 'mails', period = date '2026-01-01', kind = '50', mailed_at = now(), posted_at = now()
update usage_notice set mailed_at = coalesce(mailed_at, :mailed_at), posted_at = coalesce(posted_at, :posted_at)
where meter = :meter and period = :period and kind = :kind

-- usage_notices --
-- What was told of the budgets lately, newest first.
-- index: usage_notice_pkey   rows: <= 100
-- with: since = now() - interval '40 days'
select meter, period, kind, used, most, expected_at, at from usage_notice where at >= :since
order by at desc, meter, kind limit 100

-- tenant_about --
-- What the tenant is called.
-- index: tenant_pkey   rows: <= 1   scope: realm
-- with: tenant_id = (select tenant_id from tenant limit 1)
select name, slug from tenant where tenant_id = :tenant_id

-- job_line_try --
-- One worker at a time gives places in line.
-- index: none (a lock)   rows: <= 1   role: worker
select pg_try_advisory_xact_lock(hashtextextended('the line of jobs', 0)) as is_mine

-- job_line_get --
-- The virtual time of the line, and the start that the highest priority stands for.
-- index: none (one row)   rows: <= 1   role: worker
select virtual_ms, base_ms from job_line

-- job_line_first --
-- The first jobs of every flow that waits. Flows are found by skipping from one to the next in the index.
-- index: none (the queue is the worker's own table; pgqueuer_flow_idx)   rows: <= 20000   role: worker
-- with: window = 16
with recursive flow as (
  (select left(dedupe_key, 36) as name from pgqueuer where status = 'queued' and dedupe_key is not null
    order by left(dedupe_key, 36) limit 1)
  union all
  select (select left(next.dedupe_key, 36) from pgqueuer next
    where next.status = 'queued' and left(next.dedupe_key, 36) > flow.name order by left(next.dedupe_key, 36) limit 1)
  from flow where flow.name is not null
)
select flow.name as flow, job.id, job.priority
from flow cross join lateral (
  select id, priority from pgqueuer
  where status = 'queued' and left(dedupe_key, 36) = flow.name and execute_after <= now()
  order by left(dedupe_key, 36), id limit :window
) job
where flow.name is not null
order by flow.name, job.id

-- job_flows --
-- Where these flows' next jobs start, and what their jobs cost lately.
-- index: none (the worker's own table)   rows: <= 20000   role: worker
-- with: flows = array['sample']
select flow, finish_ms, cost_ms from job_flow where flow = any(:flows::text[])

-- job_flows_write --
-- Keep where flows are.
-- index: none (insert)   rows: <= 0   role: worker
-- with: flows = array['sample'], finishes_ms = array[1::bigint], costs_ms = array[1]
insert into job_flow (flow, finish_ms, cost_ms)
select * from unnest(:flows::text[], :finishes_ms::bigint[], :costs_ms::int[])
on conflict (flow) do update set finish_ms = excluded.finish_ms, cost_ms = excluded.cost_ms

-- job_flows_forget --
-- Forget flows that would join like new ones.
-- index: none (the worker's own table, once in weeks)   rows: <= 0   role: worker
-- with: before_ms = 0::bigint
delete from job_flow where finish_ms < :before_ms

-- job_line_place --
-- Give jobs their place, where they still wait.
-- index: none (the queue is the worker's own table)   rows: <= 0   role: worker
-- with: ids = array[1::bigint], priorities = array[1]
update pgqueuer set priority = placed.priority
from unnest(:ids::bigint[], :priorities::int[]) as placed (id, priority)
where pgqueuer.id = placed.id and pgqueuer.status = 'queued'

-- job_line_rebase --
-- Move everybody in line up by as much as the base moves.
-- index: none (all that waits, once in weeks)   rows: <= 0   role: worker
-- with: by_ms = 0::bigint
update pgqueuer set priority = least(2147483647, priority + :by_ms::bigint)::int where status = 'queued' and priority > 0

-- job_line_move --
-- Keep the virtual time and the base.
-- index: none (one row)   rows: <= 0   role: worker
-- with: virtual_ms = 0::bigint, base_ms = 0::bigint
update job_line set virtual_ms = :virtual_ms, base_ms = :base_ms

-- job_claim --
-- Take the next jobs in line, of no flow more than may run at once, and those of workers that fell silent.
-- index: none (the queue is the worker's own table; pgqueuer_line_idx)   rows: <= 100   role: worker
-- with: kinds = array['sample'], worker = gen_random_uuid(), most = 4, worker_jobs_max = 8, flow_jobs_max = 6, silent = interval '4 seconds'
with running as (
  select left(dedupe_key, 36) as flow, count(*) as jobs, count(*) filter (where queue_manager_id = :worker) as mine
  from pgqueuer where status = 'picked' group by 1
), room as (
  select least(:most::int, :worker_jobs_max::int - coalesce(sum(mine), 0))::int as jobs from running
), near as (
  select id, priority, left(dedupe_key, 36) as flow from pgqueuer waiting
  where status = 'queued' and entrypoint = any(:kinds::text[]) and execute_after < now()
    and left(waiting.dedupe_key, 36) <> all (array(select flow from running where jobs >= :flow_jobs_max::int))
  order by priority desc, id limit :most::int * 4
), ranked as (
  select near.id, near.priority,
    row_number() over (partition by near.flow order by near.priority desc, near.id) + coalesce(running.jobs, 0) as nth
  from near left join running on running.flow = near.flow
), fresh as (
  select job.id from pgqueuer job join ranked on ranked.id = job.id
  where ranked.nth <= :flow_jobs_max::int and job.status = 'queued'
  order by ranked.priority desc, ranked.id limit greatest(0, (select jobs from room))
  for update of job skip locked
), stale as (
  select id from pgqueuer where status = 'picked' and entrypoint = any(:kinds::text[])
    and heartbeat < now() - :silent::interval and execute_after < now()
  order by priority desc, id limit greatest(0, (select jobs from room))
  for update skip locked
), claimed as (
  update pgqueuer set status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = :worker
  where id in (
    select id from (select id, 0 as after from stale union all select id, 1 as after from fresh) as both_kinds
    order by after, id limit greatest(0, (select jobs from room))
  )
  returning *
), logged as (
  insert into pgqueuer_log (job_id, status, entrypoint, priority) select id, status, entrypoint, priority from claimed
)
select * from claimed order by priority desc, id
