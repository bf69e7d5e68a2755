-- The end of each chain, beside the ends of all others of the realm: what an anchor is made of. It says no more
-- than ids and counts, and only the worker sees it.
create table audit_tip (
  realm_id uuid not null default my_realm(),
  tenant_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  primary key (realm_id, tenant_id)
);
select protect('audit_tip', 'realm');
revoke all on audit_tip from app, reader;
revoke delete on audit_tip from worker;

-- The owner is under row security, too: for what reads rows below, it is not, until the end of this file.
alter table audit_head no force row level security;
alter table tenant no force row level security;
alter table audit_tip no force row level security;
insert into audit_tip (realm_id, tenant_id, seq, hash)
select t.realm_id, h.tenant_id, h.seq, h.hash from audit_head h join tenant t using (tenant_id);
alter table audit_head force row level security;
alter table tenant force row level security;
alter table audit_tip force row level security;

-- Which anchors were put into the file store, and what each file's hash is.
create table audit_anchor (
  realm_id uuid not null default my_realm(),
  number bigint not null check (number > 0),
  at timestamptz not null,
  root bytea not null,
  sha256 bytea not null,
  primary key (realm_id, number)
);
select protect('audit_anchor', 'realm');
revoke all on audit_anchor from reader;
revoke insert, update, delete on audit_anchor from app;
revoke update, delete on audit_anchor from worker;
grant select on audit_anchor to auditor;
grant select (realm_id, tenant_id) on tenant to auditor;

-- A trail that was asked for as a file. `rows_done` moves while it is made.
create table audit_export (
  tenant_id uuid not null default my_tenant(),
  export_id uuid not null,
  kind text not null check (kind in ('csv', 'jsonl')),
  from_day date,
  to_day date,
  status text not null default 'making' check (status in ('making', 'made')),
  rows_done bigint not null default 0,
  rows_total bigint not null default 0,
  bytes bigint,
  asked_by uuid,
  asked_at timestamptz not null,
  made_at timestamptz,
  primary key (tenant_id, export_id)
);
create index audit_export_asked_idx on audit_export (tenant_id, asked_at desc, export_id);
select protect('audit_export', 'tenant');

-- Personal values of the trail, each with the salt of the commitment that stands in the chain in its place: without
-- its row here a commitment says nothing, and the chain holds.
create table audit_personal (
  tenant_id uuid not null default my_tenant(),
  audit_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  subject text not null check (length(subject) between 1 and 200),
  value text not null,
  salt bytea not null,
  primary key (tenant_id, audit_id, name)
);
create index audit_personal_subject_idx on audit_personal (tenant_id, subject);
select protect('audit_personal', 'tenant');
revoke update on audit_personal from app, worker;
grant select on audit_personal to auditor;
