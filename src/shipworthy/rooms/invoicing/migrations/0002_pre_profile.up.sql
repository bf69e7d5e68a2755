-- Who the tenant is as a seller: what the law and EN 16931 want on an invoice. One row a tenant, or none yet.
create table seller_profile (
  tenant_id uuid not null default my_tenant(),
  name text not null check (length(name) between 1 and 200),
  street text not null check (length(street) <= 200),
  postal_code text not null check (length(postal_code) <= 20),
  city text not null check (length(city) <= 100),
  country text not null check (country ~ '^[A-Z]{2}$'),
  vat_id text not null check (length(vat_id) <= 32),
  tax_number text not null check (length(tax_number) <= 32),
  registration_id text not null check (length(registration_id) <= 60),
  contact_name text not null check (length(contact_name) <= 100),
  email text not null check (length(email) <= 254),
  phone text not null check (length(phone) <= 40),
  iban text not null check (length(iban) <= 34),
  bic text not null check (length(bic) <= 11),
  bank_name text not null check (length(bank_name) <= 100),
  updated_at timestamptz not null,
  primary key (tenant_id)
);
select protect('seller_profile', 'tenant');
revoke delete on seller_profile from app;
revoke insert, update, delete on seller_profile from worker;

-- What a buyer wants to read on every invoice to find its way: a Leitweg-ID, a cost centre (EN 16931 BT-10).
alter table customer add column buyer_reference text not null default '' check (length(buyer_reference) <= 60);
