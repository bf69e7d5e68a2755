-- Roles and the policy generator. Run as a superuser, once per database; running it again changes nothing.
-- owner makes tables and cannot sign in; the four login roles own nothing and never bypass row security.
do $$
begin
  if not exists (select from pg_roles where rolname = 'owner') then create role owner nologin; end if;
  if not exists (select from pg_roles where rolname = 'app') then create role app login; end if;
  if not exists (select from pg_roles where rolname = 'worker') then create role worker login; end if;
  if not exists (select from pg_roles where rolname = 'reader') then create role reader login; end if;
  if not exists (select from pg_roles where rolname = 'auditor') then create role auditor login; end if;
end $$;

alter role app nobypassrls nosuperuser nocreatedb nocreaterole;
alter role worker nobypassrls nosuperuser nocreatedb nocreaterole;
alter role reader nobypassrls nosuperuser nocreatedb nocreaterole;
alter role auditor nobypassrls nosuperuser nocreatedb nocreaterole;
alter role app set statement_timeout = '5s';
alter role app set lock_timeout = '2s';
alter role app set idle_in_transaction_session_timeout = '10s';
alter role worker set statement_timeout = '30s';
alter role worker set lock_timeout = '5s';
alter role worker set idle_in_transaction_session_timeout = '60s';
alter role reader set default_transaction_read_only = on;
alter role auditor set default_transaction_read_only = on;

create extension if not exists pg_stat_statements;

revoke all on schema public from public;
alter schema public owner to owner;
grant usage on schema public to app, worker, reader, auditor;

-- protect(table, 'tenant' | 'realm'): rows belong to one scope and cannot be seen, written or moved
-- outside it. The floor is RESTRICTIVE and TO PUBLIC, so that a later careless USING (true) policy
-- still shows nothing foreign; the setting reverts to '' on a pooled connection, hence nullif.
create or replace function protect(target regclass, scope text) returns void
language plpgsql as $$
declare
  scoping text := case scope when 'tenant' then 'tenant_id' when 'realm' then 'realm_id' end;
  mine text;
begin
  if scoping is null then
    raise exception 'protect(%): scope must be tenant or realm, not %', target, scope;
  end if;
  mine := format('%I = (select nullif(current_setting(%L, true), '''')::uuid)', scoping, 'app.' || scoping);
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy %I on %s as restrictive for all to public using (%s) with check (%s)',
    scope || '_floor', target, mine, mine);
  execute format('create policy %I on %s as permissive for all to app, worker using (%s) with check (%s)',
    scope || '_members', target, mine, mine);
  execute format('create policy %I on %s as permissive for select to reader, auditor using (%s)',
    scope || '_readers', target, mine);
  execute format('revoke all on %s from public', target);
  execute format('grant select, insert, update, delete on %s to app, worker', target);
  execute format('grant select on %s to reader', target);
end $$;

create or replace function my_tenant() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;
create or replace function my_realm() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.realm_id', true), '')::uuid $$;

create table if not exists schema_migration (
  room text not null,
  number int not null,
  phase text not null check (phase in ('pre', 'post')),
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (room, number)
);
alter table schema_migration owner to owner;
alter function protect(regclass, text) owner to owner;
alter function my_tenant() owner to owner;
alter function my_realm() owner to owner;
