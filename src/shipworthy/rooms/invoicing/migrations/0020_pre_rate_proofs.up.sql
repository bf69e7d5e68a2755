-- Which tax rates hold in a country, as the service that knows said on a day. An invoice keeps a copy.
create table tax_rate_proof (
  tenant_id uuid not null default my_tenant(),
  country text not null check (country ~ '^[A-Z]{2}$'),
  asked int not null default 1, -- how often: an answer to an older question is too late
  asked_at timestamptz not null,
  is_waiting boolean not null default true,
  rates jsonb not null default '[]' check (jsonb_typeof(rates) = 'array'),
  on_day date,
  checked_at timestamptz,
  primary key (tenant_id, country),
  constraint tax_rate_proof_dated check ((on_day is null) = (checked_at is null))
);
select protect('tax_rate_proof', 'tenant');
revoke insert, update, delete on tax_rate_proof from worker;
revoke update, delete on tax_rate_proof from app;
grant update (asked, asked_at, is_waiting) on tax_rate_proof to app;
grant update (is_waiting, rates, on_day, checked_at) on tax_rate_proof to worker;
