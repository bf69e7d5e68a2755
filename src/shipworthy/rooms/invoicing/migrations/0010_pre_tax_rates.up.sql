-- Tax rates as rows, and why each rate of an invoice was applied.
create table tax_rate (
  tenant_id uuid not null default my_tenant(),
  tax_rate_id uuid not null,
  code text not null check (code ~ '^[a-z0-9][a-z0-9-]{0,29}$'),
  name text not null check (length(name) between 1 and 60),
  tax_category text not null check (tax_category in ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')),
  rate_bp int not null check (rate_bp between 0 and 10000 and (rate_bp > 0) = (tax_category = 'S')),
  valid_from date not null,
  valid_until date check (valid_until >= valid_from), -- its last day; null while it holds on
  exemption_reason text not null default '' check (length(exemption_reason) <= 200),
  exemption_code text not null default '' check (length(exemption_code) <= 40),
  updated_at timestamptz not null,
  -- The days as numbers behind one of the tenant and the code: two rows overlap if and only if they are of one code
  -- and hold on one day. So the exclusion below needs no extension for texts (48 bits of a digest tell codes apart).
  days numrange not null generated always as (numrange(
    ('x' || substr(md5(tenant_id::text || '/' || code), 1, 12))::bit(48)::bigint::numeric * 10000000 + (valid_from - date '0001-01-01'),
    ('x' || substr(md5(tenant_id::text || '/' || code), 1, 12))::bit(48)::bigint::numeric * 10000000
      + (coalesce(valid_until, date '9999-12-31') - date '0001-01-01'), '[]')) stored,
  primary key (tenant_id, tax_rate_id),
  constraint tax_rate_holds_once exclude using gist (days with &&)
);
select protect('tax_rate', 'tenant');
revoke insert, update, delete on tax_rate from worker;

alter table invoice add column tax_reasons jsonb not null default '[]' check (jsonb_typeof(tax_reasons) = 'array');
alter table invoice_line add column tax_code text;
