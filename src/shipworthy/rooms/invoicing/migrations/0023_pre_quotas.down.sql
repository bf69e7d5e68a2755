alter table usage_event no force row level security;
alter table budget no force row level security;
delete from usage_event where meter = 'storage_bytes' and (source like 'invoice-pdf/%' or source like 'invoice-xml/%' or source like 'logo/%');
update budget set used = (
  select coalesce(sum(event.amount), 0) from usage_event event
  where event.tenant_id = budget.tenant_id and event.meter = 'storage_bytes'
) where meter = 'storage_bytes';
alter table usage_event force row level security;
alter table budget force row level security;
