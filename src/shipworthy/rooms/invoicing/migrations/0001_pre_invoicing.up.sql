-- Customers, invoices with their lines and taxes, the counters numbers come from, and the printed documents.
-- Amounts are whole minor units; quantities and prices are decimals with up to six places.
create table customer (
  tenant_id uuid not null default my_tenant(),
  customer_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  name_folded text not null generated always as (lower(name)) stored, -- lists read a, B, c, not B, a, c
  email text not null default '' check (length(email) <= 254),
  tax_id text not null default '' check (length(tax_id) <= 32),
  street text not null default '' check (length(street) <= 200),
  postal_code text not null default '' check (length(postal_code) <= 20),
  city text not null default '' check (length(city) <= 100),
  country text not null default '' check (country ~ '^([A-Z]{2})?$'),
  created_at timestamptz not null,
  primary key (tenant_id, customer_id) include (name) -- lists look names up by id: from the index alone
);
-- Covers the list: where most tenants have few customers, the planner would else sort all of a large tenant's.
create index customer_tenant_name_idx on customer (tenant_id, name_folded, customer_id) include (name, city, country);
select protect('customer', 'tenant');
-- Under row security the planner does not know the tenant, so it expects an average one. Where one tenant has
-- 6,000 rows among 2,000 that have five, it would sort all of them for each page (measured 2026-11-24: 25 ms and
-- 7,742 buffers against 0.3 ms and 89). So it is told to expect few tenants, and a LIMIT then makes it walk an index
-- in order: the right plan for a large tenant, and for a small one too.
alter table customer alter column tenant_id set (n_distinct = 20);

create table invoice (
  tenant_id uuid not null default my_tenant(),
  invoice_id uuid not null,
  customer_id uuid not null,
  status text not null default 'draft' check (status in ('draft', 'open', 'paid', 'void')),
  version int not null default 1,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  exponent smallint not null check (exponent between 0 and 4),
  issue_date date not null,
  due_date date not null check (due_date >= issue_date),
  payment_days smallint not null check (payment_days between 0 and 365),
  supply_date date,
  note text not null default '' check (length(note) <= 2000),
  net_minor bigint not null,
  tax_minor bigint not null,
  gross_minor bigint not null,
  series_id text,
  period text,
  seq bigint check (seq >= 1),
  number text,
  seller jsonb, -- who invoiced whom, as it was on the day of issue
  buyer jsonb,
  created_at timestamptz not null,
  issued_at timestamptz,
  paid_at timestamptz,
  voided_at timestamptz,
  primary key (tenant_id, invoice_id),
  foreign key (tenant_id, customer_id) references customer,
  constraint invoice_adds_up check (gross_minor = net_minor + tax_minor),
  constraint invoice_numbered_when_issued check ((status = 'draft') = (number is null)),
  constraint invoice_issued_whole check (
    num_nulls(number, seq, period, series_id, seller, buyer, issued_at) in (0, 7)),
  constraint invoice_paid_when_paid check ((status = 'paid') = (paid_at is not null)),
  constraint invoice_voided_when_void check ((status = 'void') = (voided_at is not null)),
  constraint invoice_series_key unique (tenant_id, series_id, period, seq),
  constraint invoice_number_key unique (tenant_id, number)
) with (fillfactor = 85); -- every invoice is updated at least once: leave room beside it
create index invoice_tenant_status_issued_idx on invoice (tenant_id, status, issue_date desc, invoice_id desc);
create index invoice_tenant_issued_idx on invoice (tenant_id, issue_date desc, invoice_id desc);
create index invoice_tenant_customer_issued_idx on invoice (tenant_id, customer_id, issue_date desc, invoice_id desc);
select protect('invoice', 'tenant');
alter table invoice alter column tenant_id set (n_distinct = 20); -- as for customer

create table invoice_line (
  tenant_id uuid not null default my_tenant(),
  invoice_id uuid not null,
  line_no smallint not null check (line_no between 1 and 1000),
  description text not null check (length(description) between 1 and 1000),
  quantity numeric(18, 6) not null,
  unit_price numeric(18, 6) not null check (unit_price >= 0),
  tax_category text not null check (tax_category in ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')),
  tax_rate_bp int not null check (tax_rate_bp between 0 and 10000),
  net_minor bigint not null,
  tax_minor bigint not null,
  primary key (tenant_id, invoice_id, line_no),
  foreign key (tenant_id, invoice_id) references invoice on delete cascade
);
select protect('invoice_line', 'tenant');

create table invoice_tax (
  tenant_id uuid not null default my_tenant(),
  invoice_id uuid not null,
  tax_category text not null,
  tax_rate_bp int not null,
  base_minor bigint not null,
  tax_minor bigint not null,
  primary key (tenant_id, invoice_id, tax_category, tax_rate_bp),
  foreign key (tenant_id, invoice_id) references invoice on delete cascade
);
select protect('invoice_tax', 'tenant');

-- The next number of a series in a period. One row is one queue: it is touched last and briefly.
create table series (
  tenant_id uuid not null default my_tenant(),
  series_id text not null,
  period text not null,
  next_seq bigint not null default 1 check (next_seq >= 1),
  primary key (tenant_id, series_id, period)
) with (fillfactor = 50);
select protect('series', 'tenant');
revoke update, delete on series from app;
grant update (next_seq) on series to app;

create table invoice_document (
  tenant_id uuid not null default my_tenant(),
  kind text not null check (kind in ('pdf')),
  invoice_id uuid not null,
  object_key text not null,
  sha256 bytea not null check (length(sha256) = 32),
  bytes bigint not null check (bytes > 0),
  created_at timestamptz not null,
  primary key (tenant_id, kind, invoice_id),
  foreign key (tenant_id, invoice_id) references invoice
);
select protect('invoice_document', 'tenant');
revoke update, delete on invoice_document from worker;
revoke insert, update, delete on invoice_document from app;

-- The worker prints; it writes nothing else here.
revoke insert, update, delete on customer, invoice, invoice_line, invoice_tax, series from worker;

-- What is issued stays as it was issued. Grants cannot say this, because a draft may change and an
-- invoice may not, and both are rows of one table; so restrictive policies do, without a trigger.
create policy invoice_delete_drafts on invoice as restrictive for delete to public using (status = 'draft');

-- Compares the row before (a stable function sees the statement's snapshot) with the row after.
create function invoice_change_allowed(after invoice) returns boolean language sql stable as $$
  select case before.status
    when 'draft' then after.status in ('draft', 'open')
    when 'open' then after.status in ('paid', 'void')
      and (to_jsonb(after) - '{status,version,paid_at,voided_at}'::text[])
        = (to_jsonb(before) - '{status,version,paid_at,voided_at}'::text[])
    else false
  end
  from invoice before where before.tenant_id = after.tenant_id and before.invoice_id = after.invoice_id
$$;
create policy invoice_frozen_when_issued on invoice as restrictive for update to public
  using (true) with check (invoice_change_allowed(invoice));

revoke update on invoice_line, invoice_tax from app;
create policy invoice_line_of_draft on invoice_line as restrictive for insert to public with check (
  'draft' = (select status from invoice i where i.tenant_id = invoice_line.tenant_id and i.invoice_id = invoice_line.invoice_id));
create policy invoice_line_leaves_draft on invoice_line as restrictive for delete to public using (
  'draft' = (select status from invoice i where i.tenant_id = invoice_line.tenant_id and i.invoice_id = invoice_line.invoice_id));
create policy invoice_tax_of_draft on invoice_tax as restrictive for insert to public with check (
  'draft' = (select status from invoice i where i.tenant_id = invoice_tax.tenant_id and i.invoice_id = invoice_tax.invoice_id));
create policy invoice_tax_leaves_draft on invoice_tax as restrictive for delete to public using (
  'draft' = (select status from invoice i where i.tenant_id = invoice_tax.tenant_id and i.invoice_id = invoice_tax.invoice_id));
