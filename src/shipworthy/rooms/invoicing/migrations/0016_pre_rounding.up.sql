-- Cash rounding: what is due is the gross in steps of the smallest coin. The tax never knows of it.
alter table seller_profile
  add column rounding text not null default 'usual' check (rounding in ('usual', 'coin', '0.05', 'none'));
alter table customer
  add column rounding text not null default '' check (rounding in ('', 'usual', 'coin', '0.05', 'none')); -- '': as the seller
alter table invoice
  add column rounding_step_minor bigint not null default 1 check (rounding_step_minor between 1 and 1000),
  add column rounding_minor bigint not null default 0,
  add constraint invoice_rounded_to_its_step check (
    abs(rounding_minor) < rounding_step_minor and (gross_minor + rounding_minor) % rounding_step_minor = 0),
  drop constraint invoice_settled_when_paid,
  add constraint invoice_settled_when_paid check (case
    when status = 'paid' then gross_minor + rounding_minor = paid_minor + credited_minor
    when status in ('open', 'uncollectible') then gross_minor + rounding_minor > paid_minor + credited_minor
    when status = 'credited' then paid_minor = 0 and gross_minor > 0 and gross_minor + rounding_minor >= credited_minor
    else paid_minor + credited_minor = 0 end) not valid; -- as in 0003

-- As in 0004: an invoice of which nothing is due is paid when it is issued.
create or replace function invoice_change_allowed(after invoice) returns boolean language sql stable as $$
  select case before.status
    when 'draft' then after.status in ('draft', 'open')
      or (after.status = 'paid' and after.gross_minor + after.rounding_minor = 0)
      or (after.status = 'credited' and invoice_amounts_allocated(after))
    when 'void' then false
    else (after.status in ('open', 'paid', 'void', 'uncollectible') or before.status = 'credited')
      and (to_jsonb(after) - '{status,version,paid_at,voided_at,uncollectible_at,paid_minor,credited_minor}'::text[])
        = (to_jsonb(before) - '{status,version,paid_at,voided_at,uncollectible_at,paid_minor,credited_minor}'::text[])
      and invoice_amounts_allocated(after)
  end
  from invoice before where before.tenant_id = after.tenant_id and before.invoice_id = after.invoice_id
$$;

-- As before, and with the rounding: lists narrow by what is due and figures add it up.
drop index invoice_tenant_number_idx;
create index invoice_tenant_number_idx on invoice (tenant_id, number collate "C")
  include (status, issue_date, invoice_id, customer_id, currency, exponent, due_date, gross_minor, rounding_minor) where number is not null;
drop index invoice_tenant_status_issued_idx;
create index invoice_tenant_status_issued_idx on invoice (tenant_id, status, issue_date desc, invoice_id desc)
  include (customer_id, currency, exponent, due_date, gross_minor, rounding_minor);
drop index invoice_tenant_open_idx;
create index invoice_tenant_open_idx on invoice (tenant_id, due_date, customer_id)
  include (currency, gross_minor, rounding_minor, paid_minor, credited_minor) where status = 'open';
drop index invoice_tenant_credit_idx;
create index invoice_tenant_credit_idx on invoice (tenant_id, customer_id, invoice_id)
  where status = 'credited' and credited_minor < gross_minor + rounding_minor;
