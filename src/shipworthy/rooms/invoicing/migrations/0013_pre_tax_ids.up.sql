-- Which VAT numbers were given out, as the service that knows said on a day. An invoice keeps a copy.
create table tax_id_proof (
  tenant_id uuid not null default my_tenant(),
  tax_id text not null check (tax_id ~ '^[A-Z]{2}[A-Z0-9+*]{2,13}$'),
  asked int not null default 1, -- how often: an answer to an older question is too late
  asked_at timestamptz not null,
  is_waiting boolean not null default true,
  is_valid boolean,
  name text not null default '' check (length(name) <= 300),
  address text not null default '' check (length(address) <= 300),
  checked_at timestamptz,
  primary key (tenant_id, tax_id),
  constraint tax_id_proof_dated check ((is_valid is null) = (checked_at is null))
);
select protect('tax_id_proof', 'tenant');
alter table tax_id_proof alter column tenant_id set (n_distinct = 20); -- as for customer
revoke insert, update, delete on tax_id_proof from worker;
revoke update, delete on tax_id_proof from app;
grant update (asked, asked_at, is_waiting) on tax_id_proof to app;
grant update (is_waiting, is_valid, name, address, checked_at) on tax_id_proof to worker;
