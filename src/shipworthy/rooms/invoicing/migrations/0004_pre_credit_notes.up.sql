-- Credit notes: invoices the other way round. They refer to one invoice, line by line, and have numbers of their own.
alter table invoice no force row level security; -- so that the keys can be checked, of all tenants
alter table invoice
  add column kind text not null default 'invoice' check (kind in ('invoice', 'credit_note')),
  add column credits_invoice_id uuid,
  add column uncollectible_at timestamptz,
  add constraint invoice_credits_fkey foreign key (tenant_id, credits_invoice_id) references invoice,
  add constraint invoice_credits_one check ((kind = 'credit_note') = (credits_invoice_id is not null)),
  drop constraint invoice_status_check,
  add constraint invoice_status_check check (case kind
    when 'invoice' then status in ('draft', 'open', 'paid', 'void', 'uncollectible')
    else status in ('draft', 'credited') end),
  add constraint invoice_given_up_when_uncollectible check ((status = 'uncollectible') = (uncollectible_at is not null)),
  drop constraint invoice_settled_when_paid,
  add constraint invoice_settled_when_paid check (case
    when status = 'paid' then gross_minor = paid_minor + credited_minor
    when status in ('open', 'uncollectible') then gross_minor > paid_minor + credited_minor
    when status = 'credited' then paid_minor = 0 and gross_minor > 0 and gross_minor >= credited_minor
    else paid_minor + credited_minor = 0 end) not valid; -- as in 0003
alter table invoice force row level security;
create index invoice_tenant_credits_idx on invoice (tenant_id, credits_invoice_id) where credits_invoice_id is not null;
-- Credit notes of which something is left.
create index invoice_tenant_credit_idx on invoice (tenant_id, customer_id, invoice_id)
  where status = 'credited' and credited_minor < gross_minor;

alter table invoice_line add column credits_line_no smallint check (credits_line_no between 1 and 1000);

create function invoice_amounts_allocated(after invoice) returns boolean language sql stable as $$
  select after.paid_minor = coalesce(sum(amount_minor) filter (where payment_id is not null), 0)
    and after.credited_minor = coalesce(sum(amount_minor) filter (where payment_id is null), 0)
  from (
    select payment_id, amount_minor from allocation a
    where a.tenant_id = after.tenant_id and a.invoice_id = after.invoice_id and a.undone_at is null
    union all
    select null, amount_minor from allocation a
    where a.tenant_id = after.tenant_id and a.credit_note_id = after.invoice_id and a.undone_at is null
  ) as settled
$$;

-- As in 0003. Of an invoice `credited_minor` is what credit notes settled of it, of a credit note what it has settled.
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
