-- What was issued keeps its gross, and what was paid stays paid: the few cents between them are lost with their columns.
drop index invoice_tenant_credit_idx;
create index invoice_tenant_credit_idx on invoice (tenant_id, customer_id, invoice_id)
  where status = 'credited' and credited_minor < gross_minor;
drop index invoice_tenant_open_idx;
create index invoice_tenant_open_idx on invoice (tenant_id, due_date, customer_id)
  include (currency, gross_minor, paid_minor, credited_minor) where status = 'open';
drop index invoice_tenant_status_issued_idx;
create index invoice_tenant_status_issued_idx on invoice (tenant_id, status, issue_date desc, invoice_id desc)
  include (customer_id, currency, exponent, due_date, gross_minor);
drop index invoice_tenant_number_idx;
create index invoice_tenant_number_idx on invoice (tenant_id, number collate "C")
  include (status, issue_date, invoice_id, customer_id, currency, exponent, due_date, gross_minor) where number is not null;
create or replace function invoice_change_allowed(after invoice) returns boolean language sql stable as $$
  select case before.status
    when 'draft' then after.status in ('draft', 'open') or (after.status = 'paid' and after.gross_minor = 0)
      or (after.status = 'credited' and invoice_amounts_allocated(after))
    when 'void' then false
    else (after.status in ('open', 'paid', 'void', 'uncollectible') or before.status = 'credited')
      and (to_jsonb(after) - '{status,version,paid_at,voided_at,uncollectible_at,paid_minor,credited_minor}'::text[])
        = (to_jsonb(before) - '{status,version,paid_at,voided_at,uncollectible_at,paid_minor,credited_minor}'::text[])
      and invoice_amounts_allocated(after)
  end
  from invoice before where before.tenant_id = after.tenant_id and before.invoice_id = after.invoice_id
$$;
alter table invoice
  drop constraint invoice_settled_when_paid,
  drop constraint invoice_rounded_to_its_step,
  drop column rounding_minor,
  drop column rounding_step_minor,
  add constraint invoice_settled_when_paid check (case
    when status = 'paid' then gross_minor = paid_minor + credited_minor
    when status in ('open', 'uncollectible') then gross_minor > paid_minor + credited_minor
    when status = 'credited' then paid_minor = 0 and gross_minor > 0 and gross_minor >= credited_minor
    else paid_minor + credited_minor = 0 end) not valid;
alter table customer drop column rounding;
alter table seller_profile drop column rounding;
