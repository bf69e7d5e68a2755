-- Credit notes go with what they settled: nothing before them could say what they are.
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
drop function invoice_amounts_allocated(invoice);
alter table invoice no force row level security;
alter table allocation no force row level security;
alter table invoice_line no force row level security;
alter table invoice_tax no force row level security;
alter table invoice_document no force row level security;
alter table invoice drop constraint invoice_settled_when_paid, drop constraint invoice_status_check;
delete from invoice_document d using invoice i where i.tenant_id = d.tenant_id and i.invoice_id = d.invoice_id and i.kind = 'credit_note';
update invoice set status = 'open', uncollectible_at = null where status = 'uncollectible';
update invoice set status = 'open', paid_at = null where status = 'paid' and credited_minor > 0;
update invoice set credited_minor = 0 where kind = 'invoice';
delete from allocation where credit_note_id is not null;
delete from invoice where kind = 'credit_note';
alter table invoice force row level security;
alter table allocation force row level security;
alter table invoice_line force row level security;
alter table invoice_tax force row level security;
alter table invoice_document force row level security;
alter table invoice add constraint invoice_status_check check (status in ('draft', 'open', 'paid', 'void'));
alter table invoice add constraint invoice_settled_when_paid check (case status
  when 'paid' then gross_minor = paid_minor + credited_minor
  when 'open' then gross_minor > paid_minor + credited_minor
  else paid_minor + credited_minor = 0 end) not valid;

alter table invoice_line drop column credits_line_no;
alter table invoice drop column kind, drop column credits_invoice_id, drop column uncollectible_at;
