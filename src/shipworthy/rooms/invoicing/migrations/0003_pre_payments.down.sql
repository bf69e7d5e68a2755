create or replace function invoice_change_allowed(after invoice) returns boolean language sql stable as $$
  select case before.status
    when 'draft' then after.status in ('draft', 'open')
    when 'open' then after.status in ('paid', 'void')
      and (to_jsonb(after) - '{status,version,paid_at,voided_at}'::text[])
        = (to_jsonb(before) - '{status,version,paid_at,voided_at}'::text[])
    else false
  end
  from invoice before where before.tenant_id = after.tenant_id and before.invoice_id = after.invoice_id
$$;
alter table invoice drop constraint invoice_settled_when_paid;
alter table invoice drop column paid_minor, drop column credited_minor;
drop table allocation;
drop table payment;
