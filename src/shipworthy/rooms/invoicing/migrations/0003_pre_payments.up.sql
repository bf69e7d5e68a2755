-- Payments, what they were allocated to, and the balance of an invoice: gross - paid - credited.
create table payment (
  tenant_id uuid not null default my_tenant(),
  payment_id uuid not null,
  customer_id uuid not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor > 0),
  allocated_minor bigint not null default 0, -- the rest is the customer's credit
  paid_on date not null,
  method text not null check (method in ('transfer', 'card', 'cash', 'other')),
  reference text not null default '' check (length(reference) <= 200),
  source_type text check (length(source_type) between 1 and 40), -- where it was read from: a bank's statement, an import
  source_id text check (length(source_id) between 1 and 200),
  created_at timestamptz not null,
  reversed_at timestamptz,
  reversal_reason text not null default '' check (length(reversal_reason) <= 200),
  primary key (tenant_id, payment_id),
  foreign key (tenant_id, customer_id) references customer,
  constraint payment_source_key unique (tenant_id, source_type, source_id), -- the same line read twice is one payment
  constraint payment_source_whole check (num_nulls(source_type, source_id) in (0, 2)),
  constraint payment_allocated_once check (allocated_minor between 0 and amount_minor),
  constraint payment_reversed_is_free check (reversed_at is null or allocated_minor = 0)
) with (fillfactor = 85);
create index payment_tenant_paid_idx on payment (tenant_id, paid_on desc, payment_id desc);
create index payment_tenant_credit_idx on payment (tenant_id, customer_id, payment_id)
  where reversed_at is null and allocated_minor < amount_minor;
select protect('payment', 'tenant');
alter table payment alter column tenant_id set (n_distinct = 20); -- as for customer
revoke update, delete on payment from app;
grant update (allocated_minor, reversed_at, reversal_reason) on payment to app;
create policy payment_reversed_for_good on payment as restrictive for update to public using (reversed_at is null) with check (true);

-- Which part of a payment, or of a credit note, settles which invoice. Undone, never deleted.
create table allocation (
  tenant_id uuid not null default my_tenant(),
  allocation_id uuid not null,
  payment_id uuid,
  credit_note_id uuid,
  invoice_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  created_at timestamptz not null,
  undone_at timestamptz,
  primary key (tenant_id, allocation_id),
  foreign key (tenant_id, payment_id) references payment,
  foreign key (tenant_id, credit_note_id) references invoice,
  foreign key (tenant_id, invoice_id) references invoice,
  constraint allocation_of_one check (num_nonnulls(payment_id, credit_note_id) = 1)
);
create index allocation_tenant_invoice_idx on allocation (tenant_id, invoice_id);
create index allocation_tenant_payment_idx on allocation (tenant_id, payment_id) where payment_id is not null;
create index allocation_tenant_credit_note_idx on allocation (tenant_id, credit_note_id) where credit_note_id is not null;
select protect('allocation', 'tenant');
alter table allocation alter column tenant_id set (n_distinct = 20);
revoke update, delete on allocation from app;
grant update (undone_at) on allocation to app;
create policy allocation_undone_for_good on allocation as restrictive for update to public using (undone_at is null) with check (true);

revoke insert, update, delete on payment, allocation from worker;

alter table invoice
  add column paid_minor bigint not null default 0 check (paid_minor >= 0),
  add column credited_minor bigint not null default 0 check (credited_minor >= 0);

-- The owner is held to its tenant as everybody is, and here it works for all of them.
alter table invoice no force row level security;
alter table payment no force row level security;
alter table allocation no force row level security;
-- What was marked as paid before there were payments gets one, under the invoice's own id.
insert into payment (tenant_id, payment_id, customer_id, currency, amount_minor, allocated_minor, paid_on, method, created_at)
select tenant_id, invoice_id, customer_id, currency, gross_minor, gross_minor, paid_at::date, 'other', paid_at
from invoice where status = 'paid' and gross_minor > 0;
insert into allocation (tenant_id, allocation_id, payment_id, invoice_id, amount_minor, created_at)
select tenant_id, payment_id, payment_id, payment_id, amount_minor, created_at from payment;
update invoice set paid_minor = gross_minor where status = 'paid' and gross_minor > 0;
alter table invoice force row level security;
alter table payment force row level security;
alter table allocation force row level security;

-- Not validated: totals below zero could be issued before, and those invoices stay as they were.
alter table invoice add constraint invoice_settled_when_paid check (case status
  when 'paid' then gross_minor = paid_minor + credited_minor
  when 'open' then gross_minor > paid_minor + credited_minor
  else paid_minor + credited_minor = 0 end) not valid;

-- Compares the row before (a stable function sees the statement's snapshot) with the row after. An issued invoice
-- moves between its states only, and says that so much is paid only where allocations say so.
create or replace function invoice_change_allowed(after invoice) returns boolean language sql stable as $$
  select case before.status
    when 'draft' then after.status in ('draft', 'open') or (after.status = 'paid' and after.gross_minor = 0)
    when 'void' then false
    else after.status in ('open', 'paid', 'void')
      and (to_jsonb(after) - '{status,version,paid_at,voided_at,paid_minor,credited_minor}'::text[])
        = (to_jsonb(before) - '{status,version,paid_at,voided_at,paid_minor,credited_minor}'::text[])
      and (after.paid_minor, after.credited_minor) = (
        select coalesce(sum(amount_minor) filter (where payment_id is not null), 0),
          coalesce(sum(amount_minor) filter (where credit_note_id is not null), 0)
        from allocation a
        where a.tenant_id = after.tenant_id and a.invoice_id = after.invoice_id and a.undone_at is null)
  end
  from invoice before where before.tenant_id = after.tenant_id and before.invoice_id = after.invoice_id
$$;
