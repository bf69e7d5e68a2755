-- Products: what is sold again and again.
create table product (
  tenant_id uuid not null default my_tenant(),
  product_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  name_folded text not null generated always as (lower(name)) stored,
  description text not null check (length(description) <= 1000),
  unit_price numeric(18, 6) not null check (unit_price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  tax_code text not null,
  archived_at timestamptz,
  created_at timestamptz not null,
  primary key (tenant_id, product_id)
);
create index product_tenant_offered_idx on product (tenant_id, name_folded, product_id) where archived_at is null;
select protect('product', 'tenant');
alter table product alter column tenant_id set (n_distinct = 20); -- as for customer
revoke delete on product from app;
revoke insert, update, delete on product from worker;
