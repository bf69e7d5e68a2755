-- Fills one tenant for plan checks: volume.rows invoices over three years, ending yesterday, with three lines each,
-- their taxes, documents and counters, and a tenth as many customers. Ids follow from the tenant and a counter,
-- so that no statement has to look up what another wrote. Runs as the superuser, past row security.
insert into customer (customer_id, name, email, city, country, created_at)
select md5(my_tenant()::text || '/customer/' || n)::uuid,
  (array['Atelier', 'Bakery', 'Clinic', 'Depot', 'Engineering', 'Foundry', 'Garage', 'Hotel'])[1 + n % 8] || ' ' || n,
  'office' || n || '@volume.example', 'Hamburg', 'DE', now() - interval '4 years'
from generate_series(1, greatest(1, current_setting('volume.rows')::int / 10)) as n;

insert into customer_word (word, customer_id)
select word, customer_id from customer, unnest(search_words(name || ' ' || city || ' ' || email)) as word
where tenant_id = my_tenant() on conflict do nothing;

insert into customer_source (source_type, source_id, customer_id)
select 'shop-' || shop, customer_id::text, customer_id from customer, generate_series(1, 8) as shop where tenant_id = my_tenant()
on conflict do nothing;

insert into seller_profile (name, street, postal_code, city, country, vat_id, tax_number, registration_id,
  contact_name, email, phone, iban, bic, bank_name, updated_at)
select 'Volume', '', '', 'Hamburg', 'DE', '', '', '', '', '', '', '', '', '', now()
on conflict (tenant_id) do nothing;

insert into tax_rate (tax_rate_id, code, name, tax_category, rate_bp, valid_from, updated_at)
select md5(my_tenant()::text || '/tax_rate/' || code)::uuid, code, code, 'S', rate_bp, date '2016-01-01', now()
from (values ('standard', 1900), ('reduced', 700)) as rate (code, rate_bp)
where not exists (select from tax_rate r where r.tenant_id = my_tenant() and r.code = rate.code);

insert into product (product_id, name, description, unit_price, currency, tax_code, archived_at, created_at)
select md5(my_tenant()::text || '/product/' || n)::uuid, 'Product ' || n, '', 10, 'EUR', 'standard',
  case when n % 4 <> 0 then now() end, now()
from generate_series(1, least(1600, greatest(2, current_setting('volume.rows')::int / 10))) as n;

-- In twenty: one draft, six open, one void, twelve paid. Numbers go on where the period's counter stands.
with planned as (
  select n, my_tenant()::text as tenant, current_setting('volume.rows')::int as rows,
    case when n % 20 = 0 then 'draft' when n % 20 <= 6 then 'open' when n % 20 = 7 then 'void' else 'paid' end as status,
    current_date - 1 - ((current_setting('volume.rows')::int - n) * 1095 / current_setting('volume.rows')::int) as issue_date
  from generate_series(1, current_setting('volume.rows')::int) as n
), numbered as (
  select p.*, to_char(issue_date, 'YYYY') as period,
    case when status <> 'draft' then
      row_number() over (partition by to_char(issue_date, 'YYYY'), status = 'draft' order by n)
      + coalesce((select next_seq - 1 from series s
        where s.tenant_id = my_tenant() and s.series_id = 'invoice' and s.period = to_char(p.issue_date, 'YYYY')), 0)
    end as seq
  from planned p
)
insert into invoice (invoice_id, customer_id, status, currency, exponent, issue_date, due_date, payment_days,
  net_minor, tax_minor, gross_minor, paid_minor, series_id, period, seq, number, seller, buyer, created_at, issued_at, paid_at, voided_at)
select md5(tenant || '/invoice/' || n)::uuid, md5(tenant || '/customer/' || (1 + n % greatest(1, rows / 10)))::uuid,
  status, 'EUR', 2, issue_date, issue_date + 14, 14, 30000, 5700, 35700, case when status = 'paid' then 35700 else 0 end,
  case when seq is not null then 'invoice' end, case when seq is not null then period end, seq,
  period || '-' || lpad(seq::text, greatest(5, length(seq::text)), '0'),
  case when seq is not null then '{"name": "Volume", "country": "DE"}'::jsonb end,
  case when seq is not null then jsonb_build_object('name', 'Customer', 'email', '', 'tax_id', '', 'street', '',
    'postal_code', '', 'city', 'Hamburg', 'country', 'DE') end,
  issue_date::timestamptz, case when seq is not null then issue_date::timestamptz end,
  case when status = 'paid' then issue_date::timestamptz + interval '9 days' end,
  case when status = 'void' then issue_date::timestamptz + interval '1 day' end
from numbered;

insert into series (series_id, period, next_seq)
select series_id, period, max(seq) + 1 from invoice where tenant_id = my_tenant() and seq is not null group by series_id, period
on conflict (tenant_id, series_id, period) do update set next_seq = excluded.next_seq;

insert into invoice_line (invoice_id, line_no, description, quantity, unit_price, tax_category, tax_rate_bp, net_minor, tax_minor)
select md5(my_tenant()::text || '/invoice/' || n)::uuid, line_no, 'Work of part ' || line_no, 1, 100, 'S', 1900, 10000, 1900
from generate_series(1, current_setting('volume.rows')::int) as n, generate_series(1, 3) as line_no;

insert into invoice_tax (invoice_id, tax_category, tax_rate_bp, base_minor, tax_minor)
select md5(my_tenant()::text || '/invoice/' || n)::uuid, 'S', 1900, 30000, 5700
from generate_series(1, current_setting('volume.rows')::int) as n;

-- A tenth of the drafts and invoices came from files, one from each, and are known to eight shops.
insert into invoice_import (import_id, source_type, created, created_at)
select md5(my_tenant()::text || '/import/' || n)::uuid, 'shop-1', 8, now() - n * interval '1 hour'
from generate_series(1, current_setting('volume.rows')::int) as n where n % 10 = 0;
insert into invoice_source (source_type, source_id, invoice_id, import_id)
select 'shop-' || shop, n::text, md5(my_tenant()::text || '/invoice/' || n)::uuid, md5(my_tenant()::text || '/import/' || n)::uuid
from generate_series(1, current_setting('volume.rows')::int) as n, generate_series(1, 8) as shop where n % 10 = 0;

-- Every paid invoice has its payment; one in a hundred of them paid more than was asked.
insert into payment (payment_id, customer_id, currency, amount_minor, allocated_minor, paid_on, method, source_type, source_id, created_at)
select md5(my_tenant()::text || '/payment/' || n)::uuid,
  md5(my_tenant()::text || '/customer/' || (1 + n % greatest(1, current_setting('volume.rows')::int / 10)))::uuid,
  'EUR', case when n % 100 = 9 then 40000 else 35700 end, 35700,
  current_date - 1 - ((current_setting('volume.rows')::int - n) * 1095 / current_setting('volume.rows')::int), 'transfer', 'volume', n::text, now()
from generate_series(1, current_setting('volume.rows')::int) as n where n % 20 > 7;

insert into allocation (allocation_id, payment_id, invoice_id, amount_minor, created_at)
select md5(my_tenant()::text || '/payment/' || n)::uuid, md5(my_tenant()::text || '/payment/' || n)::uuid,
  md5(my_tenant()::text || '/invoice/' || n)::uuid, 35700, now()
from generate_series(1, current_setting('volume.rows')::int) as n where n % 20 > 7;

-- Every fiftieth paid invoice was credited whole, which is left as the customer's credit.
insert into invoice (invoice_id, kind, credits_invoice_id, customer_id, status, currency, exponent, issue_date, due_date, payment_days,
  net_minor, tax_minor, gross_minor, series_id, period, seq, number, seller, buyer, created_at, issued_at)
select md5(tenant_id::text || '/credit/' || invoice_id)::uuid, 'credit_note', invoice_id, customer_id, 'credited', currency, exponent,
  issue_date, issue_date, 0, net_minor, tax_minor, gross_minor, 'credit_note', period, started + place, 'CN-' || period || '-' || lpad((started + place)::text, 5, '0'),
  seller, buyer, issued_at, issued_at
from (
  select i.*, row_number() over (partition by i.period order by i.seq) as place,
    coalesce((select next_seq - 1 from series s
      where s.tenant_id = i.tenant_id and s.series_id = 'credit_note' and s.period = i.period), 0) as started
  from invoice i join generate_series(59, current_setting('volume.rows')::int, 100) as n
    on i.tenant_id = my_tenant() and i.invoice_id = md5(my_tenant()::text || '/invoice/' || n)::uuid
) as credited;
insert into invoice_line (invoice_id, line_no, description, quantity, unit_price, tax_category, tax_rate_bp, net_minor, tax_minor, credits_line_no)
select c.invoice_id, l.line_no, l.description, l.quantity, l.unit_price, l.tax_category, l.tax_rate_bp, l.net_minor, l.tax_minor, l.line_no
from invoice c join invoice_line l on l.tenant_id = c.tenant_id and l.invoice_id = c.credits_invoice_id
where c.tenant_id = my_tenant() and c.issued_at < now() - interval '1 day' and c.kind = 'credit_note'
  and not exists (select from invoice_line w where w.tenant_id = c.tenant_id and w.invoice_id = c.invoice_id);
insert into invoice_tax (invoice_id, tax_category, tax_rate_bp, base_minor, tax_minor)
select invoice_id, 'S', 1900, net_minor, tax_minor from invoice c
where tenant_id = my_tenant() and kind = 'credit_note'
  and not exists (select from invoice_tax w where w.tenant_id = c.tenant_id and w.invoice_id = c.invoice_id);
insert into series (series_id, period, next_seq)
select series_id, period, max(seq) + 1 from invoice where tenant_id = my_tenant() and kind = 'credit_note' group by series_id, period
on conflict (tenant_id, series_id, period) do update set next_seq = excluded.next_seq;

insert into tax_id_proof (tax_id, asked_at, is_waiting, is_valid, checked_at)
select 'DE' || lpad(n::text, 9, '0'), now(), false, true, now()
from generate_series(1, greatest(1, current_setting('volume.rows')::int / 10)) as n;

insert into tax_rate_proof (country, asked_at, is_waiting, on_day, checked_at)
select 'DE', now(), false, current_date, now() on conflict do nothing;

insert into invoice_pdf_failure (invoice_id, code, reason, failed_at)
select md5(my_tenant()::text || '/invoice/' || n)::uuid, 'volume', 'Volume', now()
from generate_series(1, current_setting('volume.rows')::int) as n where n % 20 = 1;

-- Every fourth issued invoice was mailed; of the newest hundred some mails are still waiting.
insert into invoice_mail (mail_id, invoice_id, recipient, locale, subject, message, xml_format, content_sha256, status, queued_at, settled_at)
select md5(my_tenant()::text || '/mail/' || n)::uuid, md5(my_tenant()::text || '/invoice/' || n)::uuid, 'office@volume.example', 'en',
  'Invoice', 'Attached.', '', sha256('volume'), case when is_old then 'sent' else 'queued' end, now() - interval '2 hours',
  case when is_old then now() - interval '1 hour' end
from (select n, n < current_setting('volume.rows')::int - 100 as is_old from generate_series(1, current_setting('volume.rows')::int) as n
  where n % 4 = 1) as mailed;

-- A sequence for the plan check of numbers with gaps.
select series_begin('volume', 1);
update series s set last_issue_date = (select max(issue_date) from invoice i
  where i.tenant_id = s.tenant_id and i.series_id = s.series_id and i.period = s.period)
where tenant_id = my_tenant();

-- Rows only: no file stands behind them, and no sample leads to them.
insert into invoice_document (kind, invoice_id, object_key, sha256, bytes, created_at)
select 'pdf', md5(my_tenant()::text || '/invoice/' || n)::uuid, 'volume', sha256('volume'), 1, now()
from generate_series(1, current_setting('volume.rows')::int) as n where n % 20 <> 0;
