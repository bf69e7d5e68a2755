-- Realms (user directories), tenants, idempotency records and the audit trail.
create table realm (
  realm_id uuid primary key,
  name text not null,
  created_at timestamptz not null default now()
);
select protect('realm', 'realm');

create table tenant (
  realm_id uuid not null default my_realm() references realm,
  tenant_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  country text not null default 'DE' check (country ~ '^[A-Z]{2}$'),
  time_zone text not null default 'Europe/Berlin',
  created_at timestamptz not null default now(),
  primary key (realm_id, tenant_id),
  unique (realm_id, slug)
);
select protect('tenant', 'realm');

create table idempotency_key (
  tenant_id uuid not null default my_tenant(),
  principal_id uuid not null,
  key text not null check (length(key) between 1 and 255),
  request_sha256 bytea not null,
  status int,
  headers jsonb,
  body bytea,
  created_at timestamptz not null default now(),
  primary key (tenant_id, principal_id, key)
);
select protect('idempotency_key', 'tenant');

-- Written unchained in the transaction of the change; the sealer adds seq, prev and hash (D19).
create table audit (
  tenant_id uuid not null default my_tenant(),
  audit_id uuid not null,
  at timestamptz not null,
  actor_id uuid,
  action text not null,
  object_type text not null,
  object_id text not null,
  detail jsonb not null default '{}',
  trace_id text not null,
  seq bigint,
  prev bytea,
  hash bytea,
  primary key (tenant_id, audit_id)
);
create unique index audit_tenant_seq_idx on audit (tenant_id, seq);
create index audit_tenant_unsealed_idx on audit (tenant_id, audit_id) where seq is null;
select protect('audit', 'tenant');
revoke update, delete on audit from app, worker;
grant update (seq, prev, hash) on audit to worker;
grant select on audit to auditor;

create table audit_head (
  tenant_id uuid primary key default my_tenant(),
  seq bigint not null,
  hash bytea not null
);
select protect('audit_head', 'tenant');
revoke insert, update, delete on audit_head from app;
grant select on audit_head to auditor;

-- What happens before a tenant is known (sign-up, sign-in, refusals) is kept by realm.
create table realm_audit (
  realm_id uuid not null default my_realm(),
  audit_id uuid not null,
  at timestamptz not null,
  actor_id uuid,
  action text not null,
  object_type text not null,
  object_id text not null,
  detail jsonb not null default '{}',
  trace_id text not null,
  primary key (realm_id, audit_id)
);
select protect('realm_audit', 'realm');
revoke update, delete on realm_audit from app, worker;
grant select on realm_audit to auditor;

-- Which tenants have rows to seal. Ids only, append-only for the app, owned by the worker's duties.
create table audit_due (
  realm_id uuid not null,
  tenant_id uuid not null,
  at timestamptz not null default now()
);
revoke all on audit_due from public;
grant insert on audit_due to app, worker;
grant select, delete on audit_due to worker;

-- Sessions belong to the realm: a sign-in happens before a tenant is known (D18). Who the person is and
-- what they may do is copied here at sign-in and at every change, so that a look-up is one probe.
create table session (
  realm_id uuid not null default my_realm(),
  session_id uuid not null,
  token_sha256 bytea not null,
  user_id uuid not null,
  device_id uuid not null,
  device_name text not null,
  tenant_id uuid,
  tenant_name text not null default '',
  role text,
  email text not null,
  name text not null default '',
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  idle_expires_at timestamptz not null,
  absolute_expires_at timestamptz not null,
  revoked_at timestamptz,
  primary key (realm_id, session_id),
  unique (realm_id, token_sha256)
) with (fillfactor = 70);
create index session_user_device_idx on session (realm_id, user_id, device_id) where revoked_at is null;
select protect('session', 'realm');
