-- The ledger of what a tenant keeps begins with the PDFs that are there.
alter table invoice_document no force row level security;
alter table usage_event no force row level security;
alter table usage_day no force row level security;
alter table budget no force row level security;
insert into usage_event (tenant_id, meter, source, period, amount, at)
select tenant_id, 'storage_bytes', 'invoice-pdf/' || invoice_id || '.pdf', date '1970-01-01', bytes, created_at
from invoice_document where kind = 'pdf';
insert into budget (tenant_id, meter, period, used)
select tenant_id, meter, period, sum(amount) from usage_event where meter = 'storage_bytes' group by tenant_id, meter, period
on conflict (tenant_id, meter, period) do update set used = excluded.used;
insert into usage_day (tenant_id, meter, day, amount)
select tenant_id, meter, (now() at time zone 'utc')::date, used from budget where meter = 'storage_bytes'
on conflict (tenant_id, meter, day) do update set amount = excluded.amount;
alter table invoice_document force row level security;
alter table usage_event force row level security;
alter table usage_day force row level security;
alter table budget force row level security;
