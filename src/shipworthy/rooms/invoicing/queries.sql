-- customer_create --
-- A new customer, and the words it is found by.
-- index: none (insert)   rows: <= 0
-- with: customer_id = gen_random_uuid(), name = 'Sample', email = '', tax_id = '', street = '', postal_code = '', city = '', country = 'DE', buyer_reference = '', rounding = '', language = '', now = now()
with made as (
  insert into customer (customer_id, name, email, tax_id, street, postal_code, city, country, buyer_reference, rounding, language, created_at)
  values (:customer_id, :name, :email, :tax_id, :street, :postal_code, :city, :country, :buyer_reference, :rounding, :language, :now)
)
insert into customer_word (word, customer_id)
select word, :customer_id from unnest(search_words(:name || ' ' || :city || ' ' || :email || ' ' || :tax_id)) as word

-- customer_sources_known --
-- Which rows of a source are customers already.
-- index: customer_source_pkey   rows: <= 10000
-- with: source_type = 'shop-3', source_ids = array['1', '2']
select source_id from customer_source
where source_type = :source_type and source_id = any(:source_ids::text[]) limit 10000

-- customers_import --
-- New customers with the words they are found by, of those rows of a source that nobody took before: who takes them at
-- the same time waits for the other's end, in the same order.
-- index: none (insert)   rows: <= 1
-- with: source_type = 'sample', source_ids = array['x'], customer_ids = array[gen_random_uuid()], names = array['Sample'], emails = array[''], tax_ids = array[''], streets = array['']
-- with: postal_codes = array[''], cities = array[''], countries = array['DE'], buyer_references = array[''], now = now()
with came as (
  select * from unnest(:source_ids::text[], :customer_ids::uuid[], :names::text[], :emails::text[], :tax_ids::text[],
    :streets::text[], :postal_codes::text[], :cities::text[], :countries::text[], :buyer_references::text[])
    as came (source_id, customer_id, name, email, tax_id, street, postal_code, city, country, buyer_reference)
), taken as (
  insert into customer_source (source_type, source_id, customer_id)
  select :source_type, source_id, customer_id from came order by source_id
  on conflict do nothing returning customer_id
), made as (
  insert into customer (customer_id, name, email, tax_id, street, postal_code, city, country, buyer_reference, created_at)
  select customer_id, name, email, tax_id, street, postal_code, city, country, buyer_reference, :now
  from came join taken using (customer_id)
), found as (
  insert into customer_word (word, customer_id)
  select word, customer_id from came join taken using (customer_id),
    unnest(search_words(name || ' ' || city || ' ' || email || ' ' || tax_id)) as word
)
select count(*) as created from taken

-- customer_get --
-- One customer.
-- index: customer_pkey   rows: <= 1
-- with: customer_id = (select customer_id from customer limit 1)
select customer_id, name, email, tax_id, street, postal_code, city, country, buyer_reference, rounding, language, created_at
from customer where customer_id = :customer_id

-- customer_edit --
-- Replace what is known of a customer and the words it is found by; invoices issued before keep their copy.
-- index: customer_pkey, customer_word_tenant_customer_idx   rows: <= 1
-- with: customer_id = (select customer_id from customer limit 1), name = 'Sample', email = '', tax_id = '', street = '', postal_code = '', city = '', country = 'DE', buyer_reference = '', rounding = '', language = ''
with edited as (
  update customer set name = :name, email = :email, tax_id = :tax_id, street = :street, postal_code = :postal_code,
    city = :city, country = :country, buyer_reference = :buyer_reference, rounding = :rounding, language = :language
  where customer_id = :customer_id
  returning customer_id, search_words(name || ' ' || city || ' ' || email || ' ' || tax_id) as words
), gone as (
  delete from customer_word w using edited e where w.customer_id = e.customer_id and w.word <> all (e.words)
), came as (
  insert into customer_word (word, customer_id) select word, customer_id from edited, unnest(words) as word
  on conflict do nothing
)
select customer_id from edited

-- customer_list --
-- Customers by name, a page from a cursor on.
-- index: customer_tenant_name_idx   rows: <= 51
-- with: name_folded = '', customer_id = '00000000-0000-0000-0000-000000000000'::uuid
select customer_id, name, city, country, name_folded
from customer
where (name_folded, customer_id) > (:name_folded, :customer_id)
order by name_folded, customer_id limit 51

-- customer_list_back --
-- The page of customers before a cursor, nearest first.
-- index: customer_tenant_name_idx   rows: <= 51
-- with: name_folded = 'zzzz', customer_id = '00000000-0000-0000-0000-000000000000'::uuid
select customer_id, name, city, country, name_folded
from customer
where (name_folded, customer_id) < (:name_folded, :customer_id)
order by name_folded desc, customer_id desc limit 51

-- customer_find --
-- Customers by name, of whose words some begin with every word that is asked for, a page from a cursor on.
-- index: customer_word_pkey   rows: <= 51
-- with: text = 'depot 12', name_folded = '', customer_id = '00000000-0000-0000-0000-000000000000'::uuid
with asked as materialized (select word as first, word || chr(1114111) as last from unnest(search_words(:text)) as word limit 8)
select c.customer_id, c.name, c.city, c.country, c.name_folded
from (
  select found.customer_id from asked
  cross join lateral (
    select distinct w.customer_id from customer_word w where w.word >= asked.first and w.word < asked.last
  ) as found
  group by found.customer_id having count(*) = (select count(*) from asked)
) as fitting join customer c on c.customer_id = fitting.customer_id
where (c.name_folded, c.customer_id) > (:name_folded, :customer_id)
order by c.name_folded, c.customer_id limit 51

-- customer_find_back --
-- The page of such customers before a cursor, nearest first.
-- index: customer_word_pkey   rows: <= 51
-- with: text = 'depot 12', name_folded = 'zzzz', customer_id = '00000000-0000-0000-0000-000000000000'::uuid
with asked as materialized (select word as first, word || chr(1114111) as last from unnest(search_words(:text)) as word limit 8)
select c.customer_id, c.name, c.city, c.country, c.name_folded
from (
  select found.customer_id from asked
  cross join lateral (
    select distinct w.customer_id from customer_word w where w.word >= asked.first and w.word < asked.last
  ) as found
  group by found.customer_id having count(*) = (select count(*) from asked)
) as fitting join customer c on c.customer_id = fitting.customer_id
where (c.name_folded, c.customer_id) < (:name_folded, :customer_id)
order by c.name_folded desc, c.customer_id desc limit 51

-- customer_matches --
-- The customers that a text means, or whether it means this one; one more than invoices are looked through for.
-- index: customer_word_pkey   rows: <= 501
-- with: text = 'depot 12', customer_id = null::uuid
with asked as materialized (select word as first, word || chr(1114111) as last from unnest(search_words(:text)) as word limit 8)
select found.customer_id from asked
cross join lateral (
  select distinct w.customer_id from customer_word w
  where w.word >= asked.first and w.word < asked.last and w.customer_id = coalesce(:customer_id, w.customer_id)
) as found
group by found.customer_id having count(*) = (select count(*) from asked)
limit 501

-- customer_choices --
-- The names to choose from in the invoice form; beyond them the form opens from the customer's page.
-- index: customer_tenant_name_idx   rows: <= 200
select customer_id, name from customer order by name_folded, customer_id limit 200

-- draft_facts --
-- What a draft needs to know of its customer and of the seller's calendar; no row, no such customer.
-- index: customer_pkey   rows: <= 1
-- with: customer_id = (select customer_id from customer limit 1)
select c.name as customer_name, t.time_zone, b.closed_until, coalesce(nullif(c.rounding, ''), p.rounding, 'usual') as rounding
from customer c join tenant t on t.tenant_id = c.tenant_id left join books b on b.tenant_id = c.tenant_id
  left join seller_profile p on p.tenant_id = c.tenant_id
where c.customer_id = :customer_id

-- seller_get --
-- The tenant as seller: name, country (for its tax rates), time zone (for its today) and how it rounds what is due.
-- index: none (one row of each of two short lists)   rows: <= 1
select t.name, t.country, t.time_zone, coalesce(p.rounding, 'usual') as rounding
from tenant t left join seller_profile p on p.tenant_id = t.tenant_id where t.tenant_id = my_tenant()

-- seller_profile_get --
-- Who the tenant is as a seller; where it said nothing yet, its name and country.
-- index: none (one row of each of two short lists)   rows: <= 1
select coalesce(p.name, t.name) as name, coalesce(p.country, t.country) as country,
  coalesce(p.street, '') as street, coalesce(p.postal_code, '') as postal_code, coalesce(p.city, '') as city,
  coalesce(p.vat_id, '') as vat_id, coalesce(p.tax_number, '') as tax_number,
  coalesce(p.registration_id, '') as registration_id, coalesce(p.contact_name, '') as contact_name,
  coalesce(p.email, '') as email, coalesce(p.phone, '') as phone, coalesce(p.iban, '') as iban,
  coalesce(p.bic, '') as bic, coalesce(p.bank_name, '') as bank_name, coalesce(p.rounding, 'usual') as rounding
from tenant t left join seller_profile p on p.tenant_id = t.tenant_id
where t.tenant_id = my_tenant()

-- seller_profile_save --
-- Say who the tenant is as a seller; what was said before is replaced.
-- index: none (insert)   rows: <= 0
-- with: name = 'Sample', street = '', postal_code = '', city = '', country = 'DE', vat_id = '', tax_number = '', registration_id = ''
-- with: contact_name = '', email = '', phone = '', iban = '', bic = '', bank_name = '', rounding = 'usual', now = now()
insert into seller_profile (name, street, postal_code, city, country, vat_id, tax_number, registration_id, contact_name,
  email, phone, iban, bic, bank_name, rounding, updated_at)
values (:name, :street, :postal_code, :city, :country, :vat_id, :tax_number, :registration_id, :contact_name,
  :email, :phone, :iban, :bic, :bank_name, :rounding, :now)
on conflict (tenant_id) do update set name = excluded.name, street = excluded.street, postal_code = excluded.postal_code,
  city = excluded.city, country = excluded.country, vat_id = excluded.vat_id, tax_number = excluded.tax_number,
  registration_id = excluded.registration_id, contact_name = excluded.contact_name, email = excluded.email,
  phone = excluded.phone, iban = excluded.iban, bic = excluded.bic, bank_name = excluded.bank_name,
  rounding = excluded.rounding, updated_at = excluded.updated_at

-- invoice_create --
-- A new draft.
-- index: none (insert)   rows: <= 0
-- with: invoice_id = gen_random_uuid(), customer_id = (select customer_id from customer limit 1), currency = 'EUR', exponent = 2, issue_date = current_date, due_date = current_date, payment_days = 0, supply_date = null::date, note = '', net_minor = 100, tax_minor = 19, gross_minor = 119, now = now()
-- with: prices_include_tax = false, changes = '[]'::jsonb, tax_reasons = '[]'::jsonb, rounding_step_minor = 1, rounding_minor = 0
insert into invoice (invoice_id, customer_id, currency, exponent, issue_date, due_date, payment_days, supply_date, note,
  prices_include_tax, changes, tax_reasons, net_minor, tax_minor, gross_minor, rounding_step_minor, rounding_minor, created_at)
values (:invoice_id, :customer_id, :currency, :exponent, :issue_date, :due_date, :payment_days, :supply_date, :note,
  :prices_include_tax, :changes, :tax_reasons, :net_minor, :tax_minor, :gross_minor, :rounding_step_minor, :rounding_minor, :now)

-- invoice_content_write --
-- All lines of one draft or several and the tax of each category and rate, in one statement.
-- index: none (insert)   rows: <= 0
-- with: invoice_ids = array(select invoice_id from invoice where status = 'draft' limit 1), tax_invoice_ids = array(select invoice_id from invoice where status = 'draft' limit 1), line_nos = array[999]::smallint[], descriptions = array['x']::text[], quantities = array[1]::numeric[], unit_prices = array[1]::numeric[]
-- with: line_categories = array['S']::text[], line_rates_bp = array[1900]::int[], line_nets_minor = array[100]::bigint[], line_taxes_minor = array[19]::bigint[], credits_line_nos = array[null]::smallint[], line_changes = array[null]::jsonb[], line_tax_codes = array['standard'], units = array['C62']
-- with: categories = array['O']::text[], rates_bp = array[0]::int[], bases_minor = array[100]::bigint[], taxes_minor = array[0]::bigint[]
with written as (
  insert into invoice_line (invoice_id, line_no, description, quantity, unit_price, tax_category, tax_rate_bp, net_minor, tax_minor,
    credits_line_no, change, tax_code, unit)
  select line.* from unnest(:invoice_ids::uuid[], :line_nos::smallint[], :descriptions::text[], :quantities::numeric[], :unit_prices::numeric[],
    :line_categories::text[], :line_rates_bp::int[], :line_nets_minor::bigint[], :line_taxes_minor::bigint[],
    :credits_line_nos::smallint[], :line_changes::jsonb[], :line_tax_codes::text[], :units::text[]) as line
)
insert into invoice_tax (invoice_id, tax_category, tax_rate_bp, base_minor, tax_minor)
select tax.* from unnest(:tax_invoice_ids::uuid[], :categories::text[], :rates_bp::int[], :bases_minor::bigint[], :taxes_minor::bigint[]) as tax

-- invoice_sources_known --
-- Which rows of a source are invoices already.
-- index: invoice_source_pkey   rows: <= 10000
-- with: source_type = 'shop-1', source_ids = array['1', '2']
select source_id from invoice_source
where source_type = :source_type and source_id = any(:source_ids::text[]) limit 10000

-- import_customers --
-- The customers that the rows of a file name: by our id, by their id in the same source, or by their name.
-- index: customer_pkey, customer_source_pkey, customer_tenant_name_idx   rows: <= 30000
-- with: customer_ids = array(select customer_id from customer limit 2), source_type = 'shop-1', source_ids = array(select source_id from customer_source limit 2), names = array['depot 12', 'nobody']
select 'customer_id' as named_by, c.customer_id::text as said, c.customer_id, c.name, c.rounding
from customer c where c.customer_id = any(:customer_ids::uuid[])
union all
select 'customer_source_id', s.source_id, c.customer_id, c.name, c.rounding
from customer_source s join customer c on c.customer_id = s.customer_id
where s.source_type = :source_type and s.source_id = any(:source_ids::text[])
union all
select 'customer', c.name_folded, c.customer_id, c.name, c.rounding
from customer c where c.name_folded = any(:names::text[])
limit 30000

-- invoices_import --
-- New drafts, of those rows of a source that nobody took before: who takes them at the same time waits for the
-- other's end, in the same order.
-- index: none (insert)   rows: <= 10000
-- with: import_id = gen_random_uuid(), source_type = 'sample', source_ids = array['x'], invoice_ids = array[gen_random_uuid()], customer_ids = array(select customer_id from customer limit 1), currencies = array['EUR'], exponents = array[2]::smallint[]
-- with: issue_dates = array[current_date], due_dates = array[current_date], payment_days = array[0]::smallint[], supply_dates = array[null]::date[], notes = array[''], prices_include_tax = array[false], changes = array['[]'], tax_reasons = array['[]']
-- with: nets_minor = array[100]::bigint[], taxes_minor = array[19]::bigint[], grosses_minor = array[119]::bigint[], rounding_steps_minor = array[1]::bigint[], roundings_minor = array[0]::bigint[], now = now()
with came as (
  select * from unnest(:source_ids::text[], :invoice_ids::uuid[], :customer_ids::uuid[], :currencies::text[], :exponents::smallint[],
    :issue_dates::date[], :due_dates::date[], :payment_days::smallint[], :supply_dates::date[], :notes::text[], :prices_include_tax::boolean[],
    :changes::text[], :tax_reasons::text[], :nets_minor::bigint[], :taxes_minor::bigint[], :grosses_minor::bigint[],
    :rounding_steps_minor::bigint[], :roundings_minor::bigint[])
    as came (source_id, invoice_id, customer_id, currency, exponent, issue_date, due_date, payment_days, supply_date, note,
      prices_include_tax, changes, tax_reasons, net_minor, tax_minor, gross_minor, rounding_step_minor, rounding_minor)
), taken as (
  insert into invoice_source (source_type, source_id, invoice_id, import_id)
  select :source_type, source_id, invoice_id, :import_id from came order by source_id
  on conflict do nothing returning invoice_id
), logged as (
  insert into invoice_import (import_id, source_type, created, created_at)
  select :import_id, :source_type, count(*), :now from taken having count(*) > 0
), made as (
  insert into invoice (invoice_id, customer_id, currency, exponent, issue_date, due_date, payment_days, supply_date, note,
    prices_include_tax, changes, tax_reasons, net_minor, tax_minor, gross_minor, rounding_step_minor, rounding_minor, created_at)
  select invoice_id, customer_id, currency, exponent, issue_date, due_date, payment_days, supply_date, note,
    prices_include_tax, changes::jsonb, tax_reasons::jsonb, net_minor, tax_minor, gross_minor, rounding_step_minor, rounding_minor, :now
  from came join taken using (invoice_id)
)
select invoice_id from taken limit 10000

-- invoice_import_get --
-- One import, and how many of its drafts and invoices are there still.
-- index: invoice_import_pkey, invoice_source_tenant_import_idx   rows: <= 1
-- with: import_id = (select import_id from invoice_import limit 1)
select import_id, source_type, created, created_at, undone_at, taken_back,
  (select count(*) from invoice_source s where s.import_id = i.import_id)::int as still
from invoice_import i where import_id = :import_id

-- invoice_import_rows --
-- What an import made and is there still: those that are issued first.
-- index: invoice_source_tenant_import_idx, invoice_pkey   rows: <= 200
-- with: import_id = (select import_id from invoice_import limit 1)
select s.source_id, i.invoice_id, i.status, i.number, i.currency, i.gross_minor + i.rounding_minor as total_minor,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name
from invoice_source s join invoice i on i.tenant_id = s.tenant_id and i.invoice_id = s.invoice_id
where s.import_id = :import_id order by i.number, s.source_id limit 200

-- invoice_import_list --
-- The newest imports.
-- index: invoice_import_tenant_created_idx   rows: <= 10
select import_id, source_type, created, created_at, undone_at, taken_back
from invoice_import order by created_at desc, import_id desc limit 10

-- invoice_import_undo --
-- Take back what is still a draft of an import.
-- index: invoice_source_tenant_import_idx, invoice_pkey, invoice_import_pkey   rows: <= 1
-- with: import_id = (select import_id from invoice_import limit 1), now = now()
with gone as (
  delete from invoice i using invoice_source s
  where s.import_id = :import_id and i.tenant_id = s.tenant_id and i.invoice_id = s.invoice_id and i.status = 'draft'
  returning i.invoice_id
)
update invoice_import set undone_at = coalesce(undone_at, :now), taken_back = taken_back + (select count(*) from gone)
where import_id = :import_id
returning (select count(*) from gone)::int as taken_back

-- invoice_edit --
-- Replace what a draft says, if it is still the draft that was seen.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'draft' limit 1), version = null::int, customer_id = (select customer_id from customer limit 1), currency = 'EUR', exponent = 2, issue_date = current_date
-- with: due_date = current_date, payment_days = 0, supply_date = null::date, note = '', net_minor = 100, tax_minor = 19, gross_minor = 119
-- with: prices_include_tax = false, changes = '[]'::jsonb, tax_reasons = '[]'::jsonb, rounding_step_minor = 1, rounding_minor = 0
update invoice set version = version + 1, customer_id = :customer_id, currency = :currency, exponent = :exponent,
  issue_date = :issue_date, due_date = :due_date, payment_days = :payment_days, supply_date = :supply_date, note = :note,
  prices_include_tax = :prices_include_tax, changes = :changes, tax_reasons = :tax_reasons,
  net_minor = :net_minor, tax_minor = :tax_minor, gross_minor = :gross_minor,
  rounding_step_minor = :rounding_step_minor, rounding_minor = :rounding_minor
where invoice_id = :invoice_id and status = 'draft' and version = coalesce(:version, version)
returning version, created_at

-- invoice_content_delete --
-- Take the lines and taxes of a draft away, for those that replace them.
-- index: invoice_line_pkey, invoice_tax_pkey   rows: <= 0
-- with: invoice_id = (select invoice_id from invoice where status = 'draft' limit 1)
with gone as (delete from invoice_line where invoice_id = :invoice_id)
delete from invoice_tax where invoice_id = :invoice_id

-- invoice_delete --
-- Throw a draft away with its lines and taxes.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'draft' limit 1), version = null::int
delete from invoice
where invoice_id = :invoice_id and status = 'draft' and version = coalesce(:version, version)
returning invoice_id

-- invoice_state --
-- Where an invoice stands, to say why a change was refused.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice limit 1)
select status, version, number, paid_minor + credited_minor as settled_minor from invoice where invoice_id = :invoice_id

-- invoice_get --
-- One invoice with its customer's name and whether its PDF is there.
-- index: invoice_pkey, customer_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1)
select i.invoice_id, i.kind, i.credits_invoice_id, i.customer_id, c.name as customer_name, i.status, i.version,
  o.number as credits_number, o.issue_date as credits_issue_date, i.number, i.currency, i.exponent,
  i.issue_date, i.due_date, i.payment_days, i.supply_date, i.note, i.prices_include_tax, i.changes, i.tax_reasons, i.net_minor, i.tax_minor, i.gross_minor,
  i.rounding_step_minor, i.rounding_minor, i.paid_minor, i.credited_minor, i.seller, i.buyer, i.created_at, i.issued_at, i.paid_at, i.voided_at, i.uncollectible_at,
  exists (select from invoice_document d where d.kind = 'pdf' and d.invoice_id = i.invoice_id) as has_pdf
from invoice i join customer c on c.tenant_id = i.tenant_id and c.customer_id = i.customer_id
  left join invoice o on o.tenant_id = i.tenant_id and o.invoice_id = i.credits_invoice_id
where i.invoice_id = :invoice_id

-- invoice_lines --
-- The lines of an invoice, in order.
-- index: invoice_line_pkey   rows: <= 10000
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1)
select description, quantity, unit, unit_price, tax_category, tax_rate_bp, net_minor, tax_minor, change, tax_code
from invoice_line where invoice_id = :invoice_id order by line_no limit 10000

-- invoice_taxes --
-- The tax of an invoice by category and rate, highest rate first.
-- index: invoice_tax_pkey   rows: <= 1000
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1)
select tax_category, tax_rate_bp, base_minor, tax_minor
from invoice_tax where invoice_id = :invoice_id order by tax_rate_bp desc, tax_category limit 1000

-- invoice_list --
-- Newest invoices of the tenant, a page from a cursor on; the list screen and the API both use it.
-- index: invoice_tenant_issued_idx, customer_pkey   rows: <= 26
-- with: issue_date = '9999-12-31'::date, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select invoice_id, kind, number, status, customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  currency, issue_date, due_date, net_minor, tax_minor, gross_minor, rounding_minor, paid_minor, credited_minor, version
from invoice i
where (issue_date, invoice_id) < (:issue_date, :invoice_id)
order by issue_date desc, invoice_id desc limit 26

-- invoice_list_by_status --
-- Newest invoices of the tenant in one status; the list screen and the API both use it.
-- index: invoice_tenant_status_issued_idx, customer_pkey   rows: <= 26
-- with: status = 'open', issue_date = '9999-12-31'::date, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select invoice_id, kind, number, status, customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  currency, issue_date, due_date, net_minor, tax_minor, gross_minor, rounding_minor, paid_minor, credited_minor, version
from invoice i
where status = :status and (issue_date, invoice_id) < (:issue_date, :invoice_id)
order by issue_date desc, invoice_id desc limit 26

-- invoice_list_newer --
-- The page of invoices before a cursor, nearest first.
-- index: invoice_tenant_issued_idx, customer_pkey   rows: <= 26
-- with: issue_date = current_date - 365, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select invoice_id, kind, number, status, customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  currency, issue_date, due_date, net_minor, tax_minor, gross_minor, rounding_minor, paid_minor, credited_minor, version
from invoice i
where (issue_date, invoice_id) > (:issue_date, :invoice_id)
order by issue_date, invoice_id limit 26

-- invoice_list_by_status_newer --
-- The page of invoices in one status before a cursor, nearest first.
-- index: invoice_tenant_status_issued_idx, customer_pkey   rows: <= 26
-- with: status = 'open', issue_date = current_date - 365, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select invoice_id, kind, number, status, customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  currency, issue_date, due_date, net_minor, tax_minor, gross_minor, rounding_minor, paid_minor, credited_minor, version
from invoice i
where status = :status and (issue_date, invoice_id) > (:issue_date, :invoice_id)
order by issue_date, invoice_id limit 26

-- invoice_find --
-- Newest invoices by status, dates, currency and amount, a page from a cursor on: one walk for each status.
-- The cursor's day bounds the days as well: of two bounds the index begins at either, and must not begin at the far one.
-- index: invoice_tenant_status_issued_idx, invoice_pkey, customer_pkey   rows: <= 26
-- with: statuses = '{open,paid}'::text[], issue_date = '9999-12-31'::date, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
-- with: issued_from = current_date - 900, issued_to = '9999-12-31'::date, due_before = '9999-12-31'::date, currency = null::text, mins_minor = '{0,0,0,0,0}'::bigint[], maxs_minor = '{900000,900000,900000,900000,900000}'::bigint[]
with picked as materialized (
  select near.invoice_id
  from unnest(:statuses::text[]) as wanted (status)
  cross join lateral (
    select i.invoice_id, i.issue_date from invoice i
    where i.status = wanted.status
      and (i.issue_date, i.invoice_id) < (:issue_date, :invoice_id)
      and i.issue_date between :issued_from and least(:issued_to::date, :issue_date::date) and i.due_date < :due_before
      and (:currency::text is null or i.currency = :currency)
      and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
    order by i.issue_date desc, i.invoice_id desc limit 26
  ) as near
  order by near.issue_date desc, near.invoice_id desc limit 26
)
select i.invoice_id, i.kind, i.number, i.status, i.customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  i.currency, i.issue_date, i.due_date, i.net_minor, i.tax_minor, i.gross_minor, i.rounding_minor, i.paid_minor, i.credited_minor, i.version
from picked join invoice i on i.invoice_id = picked.invoice_id
order by i.issue_date desc, i.invoice_id desc limit 26

-- invoice_find_newer --
-- The page of such invoices before a cursor, nearest first.
-- index: invoice_tenant_status_issued_idx, invoice_pkey, customer_pkey   rows: <= 26
-- with: statuses = '{open,paid}'::text[], issue_date = current_date - 365, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
-- with: issued_from = current_date - 900, issued_to = '9999-12-31'::date, due_before = '9999-12-31'::date, currency = null::text, mins_minor = '{0,0,0,0,0}'::bigint[], maxs_minor = '{900000,900000,900000,900000,900000}'::bigint[]
with picked as materialized (
  select near.invoice_id
  from unnest(:statuses::text[]) as wanted (status)
  cross join lateral (
    select i.invoice_id, i.issue_date from invoice i
    where i.status = wanted.status
      and (i.issue_date, i.invoice_id) > (:issue_date, :invoice_id)
      and i.issue_date between greatest(:issued_from::date, :issue_date::date) and :issued_to and i.due_date < :due_before
      and (:currency::text is null or i.currency = :currency)
      and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
    order by i.issue_date, i.invoice_id limit 26
  ) as near
  order by near.issue_date, near.invoice_id limit 26
)
select i.invoice_id, i.kind, i.number, i.status, i.customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  i.currency, i.issue_date, i.due_date, i.net_minor, i.tax_minor, i.gross_minor, i.rounding_minor, i.paid_minor, i.credited_minor, i.version
from picked join invoice i on i.invoice_id = picked.invoice_id
order by i.issue_date, i.invoice_id limit 26

-- invoice_search --
-- Newest invoices of some customers or with such a number, narrowed as in invoice_find, a page from a cursor on.
-- index: invoice_tenant_customer_issued_idx, invoice_tenant_number_idx, invoice_tenant_seq_idx, invoice_pkey   rows: <= 26
-- with: customer_ids = array(select customer_id from customer limit 20), customer_id = null::uuid, starts = '{2026-0001}'::text[], ends = '{2026-0001~}'::text[], seq = 147
-- with: statuses = '{open,paid}'::text[], issue_date = '9999-12-31'::date, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
-- with: issued_from = current_date - 900, issued_to = '9999-12-31'::date, due_before = '9999-12-31'::date, currency = null::text, mins_minor = '{0,0,0,0,0}'::bigint[], maxs_minor = '{900000,900000,900000,900000,900000}'::bigint[]
with picked as materialized (
  select invoice_id from (
    select near.invoice_id, near.issue_date from unnest(:customer_ids::uuid[]) as asked (customer_id)
    cross join lateral (
      select i.invoice_id, i.issue_date from invoice i
      where i.customer_id = asked.customer_id and i.status = any(:statuses::text[])
        and (i.issue_date, i.invoice_id) < (:issue_date, :invoice_id)
        and i.issue_date between :issued_from and least(:issued_to::date, :issue_date::date) and i.due_date < :due_before
        and (:currency::text is null or i.currency = :currency)
        and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
      order by i.issue_date desc, i.invoice_id desc limit 26
    ) as near
    union
    select near.invoice_id, near.issue_date from unnest(:starts::text[], :ends::text[]) as asked (first, last)
    cross join lateral (
      select i.invoice_id, i.issue_date from (
        select invoice_id, issue_date, status, customer_id, currency, exponent, due_date, gross_minor, rounding_minor from invoice
        where number collate "C" >= asked.first and number collate "C" < asked.last offset 0 -- never by date instead
      ) as i
      where i.status = any(:statuses::text[]) and (:customer_id::uuid is null or i.customer_id = :customer_id)
        and (i.issue_date, i.invoice_id) < (:issue_date, :invoice_id)
        and i.issue_date between :issued_from and least(:issued_to::date, :issue_date::date) and i.due_date < :due_before
        and (:currency::text is null or i.currency = :currency)
        and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
      order by i.issue_date desc, i.invoice_id desc limit 26
    ) as near
    union
    select i.invoice_id, i.issue_date from (select * from invoice where seq = :seq offset 0) as i -- few: found first
    where i.status = any(:statuses::text[]) and (:customer_id::uuid is null or i.customer_id = :customer_id)
      and (i.issue_date, i.invoice_id) < (:issue_date, :invoice_id)
      and i.issue_date between :issued_from and least(:issued_to::date, :issue_date::date) and i.due_date < :due_before
      and (:currency::text is null or i.currency = :currency)
      and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
  ) as near
  order by issue_date desc, invoice_id desc limit 26
)
select i.invoice_id, i.kind, i.number, i.status, i.customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  i.currency, i.issue_date, i.due_date, i.net_minor, i.tax_minor, i.gross_minor, i.rounding_minor, i.paid_minor, i.credited_minor, i.version
from picked join invoice i on i.invoice_id = picked.invoice_id
order by i.issue_date desc, i.invoice_id desc limit 26

-- invoice_search_newer --
-- The page of such invoices before a cursor, nearest first.
-- index: invoice_tenant_customer_issued_idx, invoice_tenant_number_idx, invoice_tenant_seq_idx, invoice_pkey   rows: <= 26
-- with: customer_ids = array(select customer_id from customer limit 20), customer_id = null::uuid, starts = '{2026-0001}'::text[], ends = '{2026-0001~}'::text[], seq = 147
-- with: statuses = '{open,paid}'::text[], issue_date = current_date - 365, invoice_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
-- with: issued_from = current_date - 900, issued_to = '9999-12-31'::date, due_before = '9999-12-31'::date, currency = null::text, mins_minor = '{0,0,0,0,0}'::bigint[], maxs_minor = '{900000,900000,900000,900000,900000}'::bigint[]
with picked as materialized (
  select invoice_id from (
    select near.invoice_id, near.issue_date from unnest(:customer_ids::uuid[]) as asked (customer_id)
    cross join lateral (
      select i.invoice_id, i.issue_date from invoice i
      where i.customer_id = asked.customer_id and i.status = any(:statuses::text[])
        and (i.issue_date, i.invoice_id) > (:issue_date, :invoice_id)
        and i.issue_date between greatest(:issued_from::date, :issue_date::date) and :issued_to and i.due_date < :due_before
        and (:currency::text is null or i.currency = :currency)
        and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
      order by i.issue_date, i.invoice_id limit 26
    ) as near
    union
    select near.invoice_id, near.issue_date from unnest(:starts::text[], :ends::text[]) as asked (first, last)
    cross join lateral (
      select i.invoice_id, i.issue_date from (
        select invoice_id, issue_date, status, customer_id, currency, exponent, due_date, gross_minor, rounding_minor from invoice
        where number collate "C" >= asked.first and number collate "C" < asked.last offset 0 -- never by date instead
      ) as i
      where i.status = any(:statuses::text[]) and (:customer_id::uuid is null or i.customer_id = :customer_id)
        and (i.issue_date, i.invoice_id) > (:issue_date, :invoice_id)
        and i.issue_date between greatest(:issued_from::date, :issue_date::date) and :issued_to and i.due_date < :due_before
        and (:currency::text is null or i.currency = :currency)
        and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
      order by i.issue_date, i.invoice_id limit 26
    ) as near
    union
    select i.invoice_id, i.issue_date from (select * from invoice where seq = :seq offset 0) as i -- few: found first
    where i.status = any(:statuses::text[]) and (:customer_id::uuid is null or i.customer_id = :customer_id)
      and (i.issue_date, i.invoice_id) > (:issue_date, :invoice_id)
      and i.issue_date between greatest(:issued_from::date, :issue_date::date) and :issued_to and i.due_date < :due_before
      and (:currency::text is null or i.currency = :currency)
      and i.gross_minor + i.rounding_minor between (:mins_minor::bigint[])[i.exponent + 1] and (:maxs_minor::bigint[])[i.exponent + 1]
  ) as near
  order by issue_date, invoice_id limit 26
)
select i.invoice_id, i.kind, i.number, i.status, i.customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer_name,
  i.currency, i.issue_date, i.due_date, i.net_minor, i.tax_minor, i.gross_minor, i.rounding_minor, i.paid_minor, i.credited_minor, i.version
from picked join invoice i on i.invoice_id = picked.invoice_id
order by i.issue_date, i.invoice_id limit 26

-- figures_owed --
-- What is owed, by currency and by how long it is due: 0 not yet, 1 to 4 by thirty days each.
-- index: invoice_tenant_open_idx   rows: <= 1000
-- with: today = current_date
select currency, case when due_date >= :today::date then 0 when due_date >= :today::date - 30 then 1
    when due_date >= :today::date - 60 then 2 when due_date >= :today::date - 90 then 3 else 4 end as bucket,
  count(*)::int as count, sum(gross_minor + rounding_minor - paid_minor - credited_minor)::bigint as owed_minor, min(due_date) as first_due_date
from invoice where status = 'open' group by 1, 2 limit 1000

-- figures_drafts --
-- What the drafts come to, by currency.
-- index: invoice_tenant_status_issued_idx   rows: <= 200
select currency, count(*)::int as count, sum(gross_minor + rounding_minor)::bigint as amount_minor
from invoice where status = 'draft' group by currency limit 200

-- figures_invoiced --
-- What was invoiced less what was credited, by currency and month of issue.
-- index: invoice_tenant_status_issued_idx   rows: <= 2400
-- with: since = current_date - 330
select currency, date_trunc('month', issue_date::timestamp)::date as month, count(*)::int as count,
  sum(case when status = 'credited' then -(gross_minor + rounding_minor) else gross_minor + rounding_minor end)::bigint as amount_minor
from invoice
where status = any('{open,paid,uncollectible,credited}'::text[]) and issue_date >= :since
group by 1, 2 limit 2400

-- figures_paid --
-- What was received and not taken back, by currency and month.
-- index: payment_tenant_paid_idx   rows: <= 2400
-- with: since = current_date - 330
select currency, date_trunc('month', paid_on::timestamp)::date as month, count(*)::int as count,
  sum(amount_minor)::bigint as amount_minor
from payment where paid_on >= :since and reversed_at is null
group by 1, 2 limit 2400

-- figures_customers --
-- The customers most was invoiced to less what was credited, in one currency.
-- index: invoice_tenant_status_issued_idx, customer_pkey   rows: <= 5
-- with: currency = 'EUR', since = current_date - 330
select c.customer_id, c.name as customer_name, top.invoiced_minor
from (
  select customer_id, sum(case when status = 'credited' then -(gross_minor + rounding_minor) else gross_minor + rounding_minor end)::bigint as invoiced_minor
  from invoice
  where status = any('{open,paid,uncollectible,credited}'::text[]) and issue_date >= :since and currency = :currency
  group by customer_id having sum(case when status = 'credited' then -(gross_minor + rounding_minor) else gross_minor + rounding_minor end) > 0
  order by invoiced_minor desc, customer_id limit 5
) as top join customer c on c.customer_id = top.customer_id
order by top.invoiced_minor desc, c.customer_id limit 5

-- ageing_today --
-- What each customer owes today, by how long it is due.
-- index: invoice_tenant_open_idx   rows: <= 50000
-- with: as_of = current_date
select o.*, c.name as customer_name
from (
  select customer_id, currency,
    coalesce(sum(owed) filter (where due_date >= :as_of::date), 0)::bigint as current,
    coalesce(sum(owed) filter (where due_date between :as_of::date - 30 and :as_of::date - 1), 0)::bigint as days_1_30,
    coalesce(sum(owed) filter (where due_date between :as_of::date - 60 and :as_of::date - 31), 0)::bigint as days_31_60,
    coalesce(sum(owed) filter (where due_date between :as_of::date - 90 and :as_of::date - 61), 0)::bigint as days_61_90,
    coalesce(sum(owed) filter (where due_date < :as_of::date - 90), 0)::bigint as days_over_90
  from (
    select customer_id, currency, due_date, gross_minor + rounding_minor - paid_minor - credited_minor as owed
    from invoice where status = 'open'
  ) as open
  group by customer_id, currency
) as o join customer c on c.customer_id = o.customer_id
limit 50000

-- ageing_on --
-- What each customer owed when a day was over, from what settled their invoices until then.
-- index: allocation_tenant_invoice_idx   rows: <= 50000
-- with: as_of = current_date - 60, after = now() - interval '59 days'
select o.*, c.name as customer_name
from (
  select customer_id, currency,
    coalesce(sum(owed) filter (where due_date >= :as_of::date), 0)::bigint as current,
    coalesce(sum(owed) filter (where due_date between :as_of::date - 30 and :as_of::date - 1), 0)::bigint as days_1_30,
    coalesce(sum(owed) filter (where due_date between :as_of::date - 60 and :as_of::date - 31), 0)::bigint as days_31_60,
    coalesce(sum(owed) filter (where due_date between :as_of::date - 90 and :as_of::date - 61), 0)::bigint as days_61_90,
    coalesce(sum(owed) filter (where due_date < :as_of::date - 90), 0)::bigint as days_over_90
  from (
    select i.customer_id, i.currency, i.due_date, i.gross_minor + i.rounding_minor - coalesce(s.settled_minor, 0) as owed
    from invoice i
    left join lateral (
      select sum(a.amount_minor) as settled_minor
      from allocation a
      left join payment p on p.tenant_id = a.tenant_id and p.payment_id = a.payment_id
      left join invoice n on n.tenant_id = a.tenant_id and n.invoice_id = a.credit_note_id
      where a.tenant_id = i.tenant_id and a.invoice_id = i.invoice_id
        and coalesce(p.paid_on, n.issue_date) <= :as_of::date and (a.undone_at is null or a.undone_at >= :after::timestamptz)
    ) as s on true
    where i.kind = 'invoice' and i.status <> 'draft' and i.issue_date <= :as_of::date
      and (i.status = 'open' or i.paid_at >= :after::timestamptz or i.voided_at >= :after::timestamptz
        or i.uncollectible_at >= :after::timestamptz)
  ) as past
  where owed > 0
  group by customer_id, currency
) as o join customer c on c.customer_id = o.customer_id
limit 50000

-- tax_summary --
-- The tax of what was issued less what was credited, by currency, period, category and rate.
-- index: invoice_tax_pkey   rows: <= 20000
-- with: first = current_date - 60, last = current_date, per = 'month'
select i.currency, date_trunc(:per, i.issue_date::timestamp)::date as period, t.tax_category, t.tax_rate_bp,
  sum(case when i.status = 'credited' then -t.base_minor else t.base_minor end)::bigint as base_minor,
  sum(case when i.status = 'credited' then -t.tax_minor else t.tax_minor end)::bigint as tax_minor
from invoice i join invoice_tax t on t.tenant_id = i.tenant_id and t.invoice_id = i.invoice_id
where i.status = any('{open,paid,uncollectible,credited}'::text[]) and i.issue_date between :first and :last
group by 1, 2, 3, 4 order by 1, 2, 3, 4 desc limit 20000

-- export_customers --
-- Customers in the order of their ids, a thousand after one.
-- index: none (a page of a thousand is all that most tenants have)   rows: <= 1000
-- with: after = '00000000-0000-0000-0000-000000000000'::uuid, rows_max = 1000
select customer_id, name, email, tax_id, street, postal_code, city, country, buyer_reference
from customer where customer_id > :after order by customer_id limit :rows_max

-- export_invoices --
-- Invoices and drafts in the order of their ids, so many after one. Where a tenant has little more than that,
-- reading all of them and sorting is as good, so its own key is not insisted on.
-- index: customer_pkey   rows: <= 1000
-- with: after = '00000000-0000-0000-0000-000000000000'::uuid, rows_max = 1000
select invoice_id, kind, number, status, customer_id,
  (select c.name from customer c where c.tenant_id = i.tenant_id and c.customer_id = i.customer_id) as customer,
  currency, issue_date, due_date, supply_date, net_minor, tax_minor, gross_minor, rounding_minor, paid_minor, credited_minor,
  case when status = 'void' then 0 else gross_minor + rounding_minor - paid_minor - credited_minor end as balance_minor, note
from invoice i where invoice_id > :after order by invoice_id limit :rows_max

-- export_payments --
-- Payments in the order of their ids, a thousand after one.
-- index: customer_pkey   rows: <= 1000
-- with: after = '00000000-0000-0000-0000-000000000000'::uuid, rows_max = 1000
select payment_id, customer_id,
  (select c.name from customer c where c.tenant_id = p.tenant_id and c.customer_id = p.customer_id) as customer,
  currency, amount_minor, allocated_minor, amount_minor - allocated_minor as rest_minor, paid_on, method, reference,
  source_type, source_id, reversed_at
from payment p where payment_id > :after order by payment_id limit :rows_max

-- invoice_list_of_customer --
-- A customer's newest invoices, for the customer's page.
-- index: invoice_tenant_customer_issued_idx   rows: <= 10
-- with: customer_id = (select customer_id from invoice where status = 'open' limit 1)
select invoice_id, kind, number, status, currency, issue_date, due_date, gross_minor, rounding_minor
from invoice where customer_id = :customer_id
order by issue_date desc, invoice_id desc limit 10

-- invoice_counts --
-- How many drafts and unpaid invoices there are, counted to 100 and no further, and the seller's time zone.
-- index: invoice_tenant_status_issued_idx   rows: <= 1
select t.time_zone,
  (select count(*) from (select from invoice where status = 'draft' limit 100) as few) as drafts,
  (select count(*) from (select from invoice where status = 'open' limit 100) as few) as unpaid
from tenant t where t.tenant_id = my_tenant()

-- invoice_lock --
-- A draft about to be issued, held against edits, with what it will say of seller and buyer.
-- index: invoice_pkey, customer_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'draft' limit 1)
select i.invoice_id, i.kind, i.status, i.version, i.number, i.currency, i.gross_minor, i.rounding_minor, i.payment_days, i.supply_date, i.tax_reasons, t.time_zone,
  b.closed_until, r.prefix, r.digits, r.per, r.policy, r.opening_seq,
  case when p.tenant_id is null then jsonb_build_object('name', t.name, 'country', t.country)
    else to_jsonb(p) - '{tenant_id,updated_at,rounding}'::text[] end
    || case when x.checked_at is null then '{}'::jsonb
      else jsonb_build_object('tax_rates_proof', jsonb_build_object('rates', x.rates, 'on_day', x.on_day, 'checked_at', x.checked_at)) end as seller,
  jsonb_build_object('name', c.name, 'email', c.email, 'tax_id', c.tax_id, 'street', c.street,
    'postal_code', c.postal_code, 'city', c.city, 'country', c.country, 'buyer_reference', c.buyer_reference, 'language', c.language)
    || case when v.checked_at is null then '{}'::jsonb
      else jsonb_build_object('tax_id_proof', jsonb_build_object('is_valid', v.is_valid, 'checked_at', v.checked_at, 'name', v.name)) end as buyer
from invoice i
join customer c on c.tenant_id = i.tenant_id and c.customer_id = i.customer_id
join tenant t on t.tenant_id = i.tenant_id
left join seller_profile p on p.tenant_id = i.tenant_id
left join series_rule r on r.tenant_id = i.tenant_id and r.series_id = i.kind
left join books b on b.tenant_id = i.tenant_id
left join tax_rate_proof x on x.tenant_id = i.tenant_id and x.country = coalesce(p.country, t.country)
left join tax_id_proof v on v.tenant_id = i.tenant_id and v.tax_id = upper(regexp_replace(c.tax_id, '[ .-]', '', 'g'))
where i.invoice_id = :invoice_id
for update of i

-- series_open --
-- Begin counting in a new period.
-- index: none (insert)   rows: <= 0
-- with: series_id = 'invoice', period = '1999', opening_seq = 1
insert into series (series_id, period, opening_seq, next_seq) values (:series_id, :period, :opening_seq, :opening_seq)
on conflict do nothing

-- invoice_issue --
-- Take the next number and issue the invoice with it: one statement, so the counter is held for the commit only.
-- index: invoice_pkey   rows: <= 1
-- with: series_id = 'invoice', stem = 'X-', digits = 5, credited_minor = 0, period = (select period from series limit 1), invoice_id = (select invoice_id from invoice where status = 'draft' limit 1), issue_date = current_date, due_date = current_date
-- with: seller = '{}'::jsonb, buyer = '{}'::jsonb, now = now(), is_chronological = false
with next as (
  update series set next_seq = next_seq + 1, last_issue_date = greatest(last_issue_date, :issue_date)
  where series_id = :series_id and period = :period
    and (not :is_chronological::boolean or last_issue_date is null or last_issue_date <= :issue_date)
  returning next_seq - 1 as seq
)
update invoice set status = case when kind = 'credit_note' then 'credited' when gross_minor + rounding_minor = 0 then 'paid' else 'open' end,
  paid_at = case when kind = 'invoice' and gross_minor + rounding_minor = 0 then :now::timestamptz end, credited_minor = :credited_minor,
  version = version + 1, series_id = :series_id, period = :period, seq = next.seq,
  number = :stem::text || lpad(next.seq::text, greatest(:digits::int, length(next.seq::text)), '0'),
  issue_date = :issue_date, due_date = :due_date, seller = :seller, buyer = :buyer, issued_at = :now::timestamptz
from next
where invoice_id = :invoice_id and status = 'draft'
returning number, version, status

-- invoice_issue_unique --
-- Issue the invoice with a number of the tenant's sequence: no lock, and a gap where the transaction fails.
-- index: invoice_pkey   rows: <= 1
-- with: series_id = 'volume', stem = 'Y-', digits = 5, credited_minor = 0, period = (select period from series limit 1), invoice_id = (select invoice_id from invoice where status = 'draft' limit 1), issue_date = current_date, due_date = current_date
-- with: seller = '{}'::jsonb, buyer = '{}'::jsonb, now = now()
with next as materialized (select series_draw(:series_id) as seq)
update invoice set status = case when kind = 'credit_note' then 'credited' when gross_minor + rounding_minor = 0 then 'paid' else 'open' end,
  paid_at = case when kind = 'invoice' and gross_minor + rounding_minor = 0 then :now::timestamptz end, credited_minor = :credited_minor,
  version = version + 1, series_id = :series_id, period = :period, seq = next.seq,
  number = :stem::text || lpad(next.seq::text, greatest(:digits::int, length(next.seq::text)), '0'),
  issue_date = :issue_date, due_date = :due_date, seller = :seller, buyer = :buyer, issued_at = :now::timestamptz
from next
where invoice_id = :invoice_id and status = 'draft'
returning number, version, status

-- series_begin --
-- Make the sequence that numbers with gaps come from, where it is not there yet.
-- index: none (a sequence)   rows: <= 1
-- with: series_id = 'sample', opening_seq = 1
select series_begin(:series_id, :opening_seq)

-- series_rules --
-- How the tenant's series make their numbers, where it chose.
-- index: none (two rows a tenant)   rows: <= 2
select series_id, prefix, digits, per, policy, opening_seq from series_rule order by series_id limit 2

-- series_rule_save --
-- How a series makes its numbers from now on.
-- index: none (insert)   rows: <= 0
-- with: series_id = 'invoice', prefix = '', digits = 5, per = 'year', policy = 'gapless', opening_seq = 1, now = now()
insert into series_rule (series_id, prefix, digits, per, policy, opening_seq, updated_at)
values (:series_id, :prefix, :digits, :per, :policy, :opening_seq, :now)
on conflict (tenant_id, series_id) do update set prefix = excluded.prefix, digits = excluded.digits, per = excluded.per,
  policy = excluded.policy, opening_seq = excluded.opening_seq, updated_at = excluded.updated_at

-- books_state --
-- Until when the books are closed, and which series have given a number.
-- index: invoice_series_key   rows: <= 1
select (select closed_until from books) as closed_until,
  array(select name from unnest('{invoice,credit_note}'::text[]) as name
    where exists (select from invoice where series_id = name)) as in_use

-- books_close --
-- Close the books until a day, or open them.
-- index: none (insert)   rows: <= 0
-- with: closed_until = null::date, now = now()
insert into books (closed_until, updated_at) values (:closed_until, :now)
on conflict (tenant_id) do update set closed_until = excluded.closed_until, updated_at = excluded.updated_at

-- numbers_audit --
-- Every series and period: how many numbers, the first and last, doubles, and dates before the one before.
-- index: none (all of the tenant's invoices, by whichever of its indexes)   rows: <= 400
select n.series_id, n.period, n.numbers, n.first_seq, n.last_seq, n.doubles, n.dates_back, s.opening_seq, s.next_seq
from (
  select series_id, period, count(*) as numbers, min(seq) as first_seq, max(seq) as last_seq,
    count(*) - count(distinct seq) as doubles, count(*) filter (where issue_date < date_before) as dates_back
  from (
    select series_id, period, seq, issue_date, lag(issue_date) over (partition by series_id, period order by seq) as date_before
    from invoice where series_id is not null
  ) as given
  group by series_id, period
) as n
left join series s on s.series_id = n.series_id and s.period = n.period
order by n.series_id desc, n.period desc limit 400

-- numbers_gaps --
-- Which numbers are missing, from the lowest on.
-- index: none (all of the tenant's invoices, by whichever of its indexes)   rows: <= 100
select series_id, period, seq + 1 as first_missing, following - 1 as last_missing
from (
  select series_id, period, seq, lead(seq) over (partition by series_id, period order by seq) as following
  from invoice where series_id is not null
) as given
where following > seq + 1 order by series_id, period, seq limit 100

-- settle_lock --
-- An invoice about to be paid, held against other payments, with what is still owed and the tenant's time zone.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1)
select i.invoice_id, i.customer_id, i.status, i.version, i.number, i.currency, t.time_zone,
  i.gross_minor + i.rounding_minor - i.paid_minor - i.credited_minor as balance_minor, b.closed_until
from invoice i join tenant t on t.tenant_id = i.tenant_id left join books b on b.tenant_id = i.tenant_id
where i.invoice_id = :invoice_id
for no key update of i

-- payment_create --
-- A payment, and what of it settles an invoice (none where no invoice is named); no row where its source came before.
-- index: none (insert)   rows: <= 1
-- with: payment_id = gen_random_uuid(), customer_id = (select customer_id from customer limit 1), currency = 'EUR', amount_minor = 100, allocated_minor = 0, paid_on = current_date, method = 'transfer', reference = ''
-- with: source_type = null::text, source_id = null::text, invoice_id = null::uuid, allocation_id = gen_random_uuid(), now = now()
with paid as (
  insert into payment (payment_id, customer_id, currency, amount_minor, allocated_minor, paid_on, method, reference,
    source_type, source_id, created_at)
  values (:payment_id, :customer_id, :currency, :amount_minor, :allocated_minor, :paid_on, :method, :reference,
    :source_type, :source_id, :now)
  on conflict (tenant_id, source_type, source_id) do nothing
  returning payment_id, allocated_minor
), allocated as (
  insert into allocation (allocation_id, payment_id, invoice_id, amount_minor, created_at)
  select :allocation_id, payment_id, :invoice_id, allocated_minor, :now from paid where allocated_minor > 0
)
select payment_id from paid

-- payment_of_source --
-- The payment that was read from this source before.
-- index: payment_source_key   rows: <= 1
-- with: source_type = 'volume', source_id = '1'
select payment_id, customer_id, currency, amount_minor from payment
where source_type = :source_type and source_id = :source_id

-- invoice_settle --
-- An invoice is paid or credited by so much, or by less again: its state follows from its balance.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'draft' limit 1), paid_minor = 100, credited_minor = 0, now = now()
update invoice set paid_minor = paid_minor + :paid_minor, credited_minor = credited_minor + :credited_minor,
  version = version + 1,
  status = case when gross_minor + rounding_minor = paid_minor + :paid_minor + credited_minor + :credited_minor then 'paid'
    when status = 'paid' then 'open' else status end,
  uncollectible_at = case when gross_minor + rounding_minor > paid_minor + :paid_minor + credited_minor + :credited_minor then uncollectible_at end,
  paid_at = case when gross_minor + rounding_minor = paid_minor + :paid_minor + credited_minor + :credited_minor then :now::timestamptz end
where invoice_id = :invoice_id and status in ('open', 'paid', 'uncollectible')
returning status, version, number, currency, gross_minor, gross_minor + rounding_minor - paid_minor - credited_minor as balance_minor

-- payment_get --
-- One payment with its customer's name.
-- index: customer_pkey   rows: <= 1
-- with: payment_id = (select payment_id from payment limit 1)
select p.payment_id, p.customer_id, c.name as customer_name, p.currency, p.amount_minor, p.allocated_minor, p.paid_on,
  p.method, p.reference, p.source_type, p.source_id, p.created_at, p.reversed_at, p.reversal_reason
from payment p join customer c on c.tenant_id = p.tenant_id and c.customer_id = p.customer_id
where p.payment_id = :payment_id

-- payment_allocations --
-- Which invoices a payment settles, or settled before it was reversed.
-- index: allocation_tenant_payment_idx, invoice_pkey   rows: <= 200
-- with: payment_id = (select payment_id from payment limit 1)
select a.invoice_id, i.number, i.status, a.amount_minor, a.created_at, a.undone_at
from allocation a join invoice i on i.tenant_id = a.tenant_id and i.invoice_id = a.invoice_id
where a.payment_id = :payment_id order by a.created_at, a.allocation_id limit 200

-- payment_list --
-- Newest payments of the tenant, a page from a cursor on.
-- index: payment_tenant_paid_idx, customer_pkey   rows: <= 26
-- with: paid_on = '9999-12-31'::date, payment_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select payment_id, customer_id,
  (select c.name from customer c where c.tenant_id = p.tenant_id and c.customer_id = p.customer_id) as customer_name,
  currency, amount_minor, allocated_minor, paid_on, method, reference, reversed_at
from payment p
where (paid_on, payment_id) < (:paid_on, :payment_id)
order by paid_on desc, payment_id desc limit 26

-- payment_list_newer --
-- The page of payments before a cursor, nearest first.
-- index: payment_tenant_paid_idx, customer_pkey   rows: <= 26
-- with: paid_on = current_date - 365, payment_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select payment_id, customer_id,
  (select c.name from customer c where c.tenant_id = p.tenant_id and c.customer_id = p.customer_id) as customer_name,
  currency, amount_minor, allocated_minor, paid_on, method, reference, reversed_at
from payment p
where (paid_on, payment_id) > (:paid_on, :payment_id)
order by paid_on, payment_id limit 26

-- payment_lock --
-- A payment about to be reversed, held against those who would spend its rest.
-- index: payment_pkey   rows: <= 1
-- with: payment_id = (select payment_id from payment where reversed_at is null limit 1)
select payment_id, customer_id, currency, amount_minor, reversed_at from payment
where payment_id = :payment_id for no key update

-- payment_invoices_lock --
-- The invoices a payment settles, held in the order of their ids: nobody who locks them so waits in a circle.
-- index: allocation_tenant_payment_idx, invoice_pkey   rows: <= 1000
-- with: payment_id = (select payment_id from payment where reversed_at is null limit 1)
select i.invoice_id
from allocation a join invoice i on i.tenant_id = a.tenant_id and i.invoice_id = a.invoice_id
where a.payment_id = :payment_id and a.undone_at is null
order by i.invoice_id limit 1000
for no key update of i

-- payment_undo --
-- Take every allocation of a payment back, and with it its whole amount.
-- index: allocation_tenant_payment_idx, payment_pkey   rows: <= 0
-- with: payment_id = (select payment_id from payment where reversed_at is null limit 1), reason = '', now = now()
with undone as (
  update allocation set undone_at = :now where payment_id = :payment_id and undone_at is null
)
update payment set allocated_minor = 0, reversed_at = :now, reversal_reason = :reason where payment_id = :payment_id

-- payment_invoices_reopen --
-- What the payment settled is owed again.
-- index: allocation_tenant_payment_idx, invoice_pkey   rows: <= 1000
-- with: payment_id = (select payment_id from payment limit 1), undone_at = '2000-01-01'::timestamptz
update invoice i set paid_minor = i.paid_minor - back.amount_minor, version = i.version + 1,
  status = case i.status when 'paid' then 'open' else i.status end, paid_at = null
from (
  select a.invoice_id, sum(a.amount_minor) as amount_minor from allocation a
  where a.payment_id = :payment_id and a.undone_at = :undone_at group by a.invoice_id
) as back
where i.invoice_id = back.invoice_id
returning i.invoice_id, i.number, i.currency, back.amount_minor::bigint as amount_minor

-- credit_lock --
-- Payments of a customer that are not allocated whole, held in the order of their ids.
-- index: payment_tenant_credit_idx   rows: <= 100
-- with: customer_id = (select customer_id from payment where reversed_at is null and allocated_minor < amount_minor limit 1), currency = 'EUR'
select payment_id, amount_minor - allocated_minor as rest_minor from payment
where customer_id = :customer_id and currency = :currency and reversed_at is null and allocated_minor < amount_minor
order by payment_id limit 100 for no key update

-- credit_note_lock --
-- Credit notes of a customer of which something is left, held in the order of their ids.
-- index: invoice_tenant_credit_idx   rows: <= 100
-- with: customer_id = (select customer_id from invoice where status = 'credited' and credited_minor < gross_minor + rounding_minor limit 1), currency = 'EUR'
select invoice_id as credit_note_id, gross_minor + rounding_minor - credited_minor as rest_minor from invoice
where customer_id = :customer_id and currency = :currency and status = 'credited' and credited_minor < gross_minor + rounding_minor
order by invoice_id limit 100 for no key update

-- credit_sum --
-- What a customer paid or was credited beyond what was owed, in one currency; a hundred of each are looked at.
-- index: payment_tenant_credit_idx, invoice_tenant_credit_idx   rows: <= 1
-- with: customer_id = (select customer_id from payment where reversed_at is null and allocated_minor < amount_minor limit 1), currency = 'EUR'
select coalesce(sum(rest_minor), 0)::bigint as credit_minor from (
  (select amount_minor - allocated_minor as rest_minor from payment
  where customer_id = :customer_id and currency = :currency and reversed_at is null and allocated_minor < amount_minor
  limit 100)
  union all
  (select gross_minor + rounding_minor - credited_minor from invoice
  where customer_id = :customer_id and currency = :currency and status = 'credited' and credited_minor < gross_minor + rounding_minor
  limit 100)
) as rests

-- credit_allocate --
-- Parts of several payments and credit notes settle one invoice.
-- index: payment_pkey   rows: <= 0
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1), allocation_ids = array[gen_random_uuid()], payment_ids = array(select payment_id from payment where reversed_at is null and allocated_minor < amount_minor limit 1), credit_note_ids = array[null]::uuid[], amounts_minor = array[1]::bigint[], now = now()
with put as (
  insert into allocation (allocation_id, payment_id, credit_note_id, invoice_id, amount_minor, created_at)
  select part.allocation_id, part.payment_id, part.credit_note_id, :invoice_id, part.amount_minor, :now
  from unnest(:allocation_ids::uuid[], :payment_ids::uuid[], :credit_note_ids::uuid[], :amounts_minor::bigint[])
    as part (allocation_id, payment_id, credit_note_id, amount_minor)
)
update payment p set allocated_minor = p.allocated_minor + part.amount_minor
from unnest(:payment_ids::uuid[], :amounts_minor::bigint[]) as part (payment_id, amount_minor)
where p.payment_id = part.payment_id

-- credit_notes_use --
-- What credit notes settled is no longer left of them; their allocations are written already.
-- index: invoice_pkey   rows: <= 0
-- with: credit_note_ids = array(select invoice_id from invoice where status = 'draft' limit 1), amounts_minor = array[0]::bigint[]
update invoice i set credited_minor = i.credited_minor + part.amount_minor, version = i.version + 1
from unnest(:credit_note_ids::uuid[], :amounts_minor::bigint[]) as part (credit_note_id, amount_minor)
where i.invoice_id = part.credit_note_id

-- credit_facts --
-- An invoice about to be credited, held, with what is owed and what earlier credit notes took back.
-- index: invoice_pkey, invoice_tenant_credits_idx   rows: <= 1
-- with: invoice_id = (select credits_invoice_id from invoice where credits_invoice_id is not null limit 1)
select i.invoice_id, i.status, i.version, i.number, i.currency, i.exponent, i.gross_minor, i.rounding_step_minor,
  i.prices_include_tax, i.changes, i.gross_minor + i.rounding_minor - i.paid_minor - i.credited_minor as balance_minor,
  (select coalesce(sum(c.gross_minor), 0)::bigint from invoice c
    where c.tenant_id = i.tenant_id and c.credits_invoice_id = i.invoice_id) as credited_before_minor
from invoice i where i.invoice_id = :invoice_id
for no key update

-- credit_lines --
-- The lines of an invoice with the quantity of each that credit notes took back.
-- index: invoice_line_pkey, invoice_tenant_credits_idx   rows: <= 10000
-- with: invoice_id = (select credits_invoice_id from invoice where credits_invoice_id is not null limit 1)
with credited as (
  select l.credits_line_no as line_no, sum(l.quantity) as quantity
  from invoice c join invoice_line l on l.tenant_id = c.tenant_id and l.invoice_id = c.invoice_id
  where c.credits_invoice_id = :invoice_id group by l.credits_line_no
)
select l.line_no, l.description, l.quantity, l.unit, l.unit_price, l.tax_category, l.tax_rate_bp, l.tax_code, l.change, coalesce(c.quantity, 0) as credited
from invoice_line l left join credited c on c.line_no = l.line_no
where l.invoice_id = :invoice_id order by l.line_no limit 10000

-- credit_note_create --
-- A credit note for an invoice, in its words; a draft until its transaction issues it.
-- index: invoice_pkey   rows: <= 0
-- with: credit_note_id = gen_random_uuid(), invoice_id = (select invoice_id from invoice where status = 'open' limit 1), note = '', changes = '[]'::jsonb, net_minor = 100, tax_minor = 19, gross_minor = 119, rounding_minor = 0, now = now()
insert into invoice (invoice_id, kind, credits_invoice_id, customer_id, currency, exponent, issue_date, due_date, payment_days,
  supply_date, note, prices_include_tax, tax_reasons, changes, net_minor, tax_minor, gross_minor, rounding_step_minor, rounding_minor, created_at)
select :credit_note_id, 'credit_note', invoice_id, customer_id, currency, exponent, issue_date, issue_date, 0,
  supply_date, :note, prices_include_tax, tax_reasons, :changes, :net_minor, :tax_minor, :gross_minor, rounding_step_minor, :rounding_minor, :now
from invoice where invoice_id = :invoice_id

-- credit_settle --
-- A part of a new credit note settles its invoice.
-- index: none (insert)   rows: <= 0
-- with: allocation_id = gen_random_uuid(), credit_note_id = (select invoice_id from invoice where status = 'credited' limit 1), invoice_id = (select invoice_id from invoice where status = 'open' limit 1), amount_minor = 1, now = now()
insert into allocation (allocation_id, credit_note_id, invoice_id, amount_minor, created_at)
values (:allocation_id, :credit_note_id, :invoice_id, :amount_minor, :now)

-- credit_notes_of --
-- The credit notes of an invoice, oldest first.
-- index: invoice_tenant_credits_idx   rows: <= 100
-- with: invoice_id = (select credits_invoice_id from invoice where credits_invoice_id is not null limit 1)
select invoice_id, number, gross_minor, rounding_minor from invoice where credits_invoice_id = :invoice_id order by seq limit 100

-- invoice_settlements --
-- What settled an invoice, oldest first, also what was taken back.
-- index: allocation_tenant_invoice_idx   rows: <= 200
-- with: invoice_id = (select invoice_id from invoice where status = 'paid' limit 1)
select a.payment_id, a.credit_note_id, coalesce(p.paid_on, c.issue_date) as settled_on, p.method,
  coalesce(p.reference, c.number) as reference, a.amount_minor, a.undone_at
from allocation a
left join payment p on p.tenant_id = a.tenant_id and p.payment_id = a.payment_id
left join invoice c on c.tenant_id = a.tenant_id and c.invoice_id = a.credit_note_id
where a.invoice_id = :invoice_id order by a.created_at, a.allocation_id limit 200

-- invoice_void --
-- An open invoice, or one that was given up, is declared void; it keeps its number.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1), version = null::int, now = now()
update invoice set status = 'void', version = version + 1, voided_at = :now, uncollectible_at = null
where invoice_id = :invoice_id and status in ('open', 'uncollectible') and version = coalesce(:version, version)
  and paid_minor + credited_minor = 0
returning version, number, gross_minor, currency

-- invoice_give_up --
-- An open invoice is given up as uncollectible; it keeps its number, and its balance.
-- index: invoice_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1), version = null::int, now = now()
update invoice set status = 'uncollectible', version = version + 1, uncollectible_at = :now
where invoice_id = :invoice_id and status = 'open' and version = coalesce(:version, version)
returning version, number, currency, gross_minor + rounding_minor - paid_minor - credited_minor as balance_minor

-- look_get --
-- How the tenant's invoices look, where it chose.
-- index: none (one row of a short list)   rows: <= 1
select accent, footer, logo_key from seller_profile

-- look_save --
-- How the tenant's invoices look from now on; one that said nothing of itself yet says its name and country by this.
-- index: none (insert)   rows: <= 0
-- with: accent = '', footer = '', logo_key = '', now = now()
insert into seller_profile (name, street, postal_code, city, country, vat_id, tax_number, registration_id, contact_name,
  email, phone, iban, bic, bank_name, accent, footer, logo_key, updated_at)
select name, '', '', '', country, '', '', '', '', '', '', '', '', '', :accent, :footer, :logo_key, :now
from tenant where tenant_id = my_tenant()
on conflict (tenant_id) do update set accent = excluded.accent, footer = excluded.footer, logo_key = excluded.logo_key,
  updated_at = excluded.updated_at

-- tax_id_ask --
-- A VAT number is to be checked; no row where that was asked for not long ago.
-- index: none (insert)   rows: <= 1
-- with: tax_id = 'DE136695976', now = now(), stale_before = now()
insert into tax_id_proof (tax_id, asked_at) values (:tax_id, :now)
on conflict (tenant_id, tax_id) do update set asked = tax_id_proof.asked + 1, asked_at = excluded.asked_at, is_waiting = true
where tax_id_proof.asked_at < :stale_before
returning asked

-- tax_id_get --
-- What is known of a VAT number.
-- index: tax_id_proof_pkey   rows: <= 1
-- with: tax_id = (select tax_id from tax_id_proof limit 1)
select asked, is_waiting, is_valid, name, address, checked_at from tax_id_proof where tax_id = :tax_id

-- tax_id_answer --
-- What the service said of a VAT number, if that is still the question.
-- index: tax_id_proof_pkey   rows: <= 0   role: worker
-- with: tax_id = (select tax_id from tax_id_proof limit 1), asked = 1, is_valid = true, name = '', address = '', now = now()
update tax_id_proof set is_waiting = false, is_valid = :is_valid, name = :name, address = :address, checked_at = :now
where tax_id = :tax_id and asked = :asked

-- tax_id_silent --
-- The service never answered: nobody waits any more, and what was known stays.
-- index: tax_id_proof_pkey   rows: <= 0   role: worker
-- with: tax_id = (select tax_id from tax_id_proof limit 1), asked = 1
update tax_id_proof set is_waiting = false where tax_id = :tax_id and asked = :asked

-- rates_ask --
-- Ask about the rates of a country, unless it was asked lately.
-- index: none (insert)   rows: <= 1
-- with: country = 'DE', now = now(), stale_before = now()
insert into tax_rate_proof (country, asked_at) values (:country, :now)
on conflict (tenant_id, country) do update set asked = tax_rate_proof.asked + 1, asked_at = excluded.asked_at, is_waiting = true
where tax_rate_proof.asked_at < :stale_before
returning asked

-- rates_proof_get --
-- What is known of the rates of the seller's country.
-- index: none (one row of each of three short lists)   rows: <= 1
select r.country, r.is_waiting, r.on_day, r.checked_at, r.rates
from tenant t left join seller_profile p on p.tenant_id = t.tenant_id
  join tax_rate_proof r on r.tenant_id = t.tenant_id and r.country = coalesce(p.country, t.country)
where t.tenant_id = my_tenant()

-- rates_asked --
-- A question about the rates of a country, and where the seller's days begin.
-- index: none (one row of each of two short lists)   rows: <= 1   role: worker
-- with: country = 'DE'
select r.asked, r.is_waiting, t.time_zone
from tax_rate_proof r join tenant t on t.tenant_id = r.tenant_id where r.country = :country

-- rates_answer --
-- What the service said of the rates of a country, if that is still the question.
-- index: none (a row or two a tenant)   rows: <= 0   role: worker
-- with: country = 'DE', asked = 1, rates = '[]'::jsonb, on_day = current_date, now = now()
update tax_rate_proof set is_waiting = false, rates = :rates, on_day = :on_day, checked_at = :now
where country = :country and asked = :asked

-- rates_silent --
-- The service never answered: nobody waits any more, and what was known stays.
-- index: none (a row or two a tenant)   rows: <= 0   role: worker
-- with: country = 'DE', asked = 1
update tax_rate_proof set is_waiting = false where country = :country and asked = :asked

-- pdf_failure_get --
-- Why an invoice has no PDF.
-- index: invoice_pdf_failure_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice_pdf_failure limit 1)
select code, reason, failed_at from invoice_pdf_failure where invoice_id = :invoice_id

-- pdf_failure_write --
-- An invoice cannot be printed, and why.
-- index: none (insert)   rows: <= 0   role: worker
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1), code = 'sample', reason = 'Sample', now = now()
insert into invoice_pdf_failure (invoice_id, code, reason, failed_at) values (:invoice_id, :code, :reason, :now)
on conflict (tenant_id, invoice_id) do update set code = excluded.code, reason = excluded.reason, failed_at = excluded.failed_at

-- pdf_failure_forget --
-- An invoice is printed anew.
-- index: invoice_pdf_failure_pkey   rows: <= 0
-- with: invoice_id = (select invoice_id from invoice_pdf_failure limit 1)
delete from invoice_pdf_failure where invoice_id = :invoice_id

-- mail_create --
-- Mails of one content to several people, where the same was not asked for before; fifty are kept of an invoice.
-- index: invoice_mail_tenant_invoice_idx   rows: <= 5
-- with: mail_ids = array[gen_random_uuid()], recipients = array['a@volume.example']::text[], invoice_id = (select invoice_id from invoice_mail limit 1), locale = 'en', subject = 'Sample', message = 'Sample'
-- with: xml_format = '', content_sha256 = sha256('sample'), now = now()
insert into invoice_mail (mail_id, invoice_id, recipient, locale, subject, message, xml_format, content_sha256, queued_at)
select one.mail_id, :invoice_id, one.recipient, :locale, :subject, :message, :xml_format, :content_sha256, :now
from unnest(:mail_ids::uuid[], :recipients::text[]) as one (mail_id, recipient)
where (select count(*) from (select from invoice_mail where invoice_id = :invoice_id limit 50) as few)
  + cardinality(:mail_ids::uuid[]) <= 50
on conflict (tenant_id, invoice_id, recipient, content_sha256, again) do nothing
returning mail_id

-- mail_create_again --
-- The same mail once more, on purpose; no row where that was asked for already.
-- index: invoice_mail_pkey   rows: <= 1
-- with: new_mail_id = gen_random_uuid(), mail_id = (select mail_id from invoice_mail where status = 'sent' limit 1), now = now()
insert into invoice_mail (mail_id, invoice_id, recipient, locale, subject, message, xml_format, content_sha256, again, queued_at)
select :new_mail_id, invoice_id, recipient, locale, subject, message, xml_format, content_sha256, again + 1, :now
from invoice_mail where mail_id = :mail_id and again < 50
on conflict (tenant_id, invoice_id, recipient, content_sha256, again) do nothing
returning mail_id

-- mails_alike --
-- The mails of one content to these people: those just made, and those made before.
-- index: invoice_mail_tenant_invoice_idx   rows: <= 5
-- with: invoice_id = (select invoice_id from invoice_mail limit 1), recipients = array['office@volume.example']::text[], content_sha256 = sha256('volume'), again = 0
select mail_id, invoice_id, recipient, subject, status, waits_for, answer, again, queued_at, settled_at from invoice_mail
where invoice_id = :invoice_id and recipient = any(:recipients) and content_sha256 = :content_sha256 and again = :again
limit 5

-- mail_get --
-- One mail.
-- index: invoice_mail_pkey   rows: <= 1
-- with: mail_id = (select mail_id from invoice_mail limit 1)
select mail_id, invoice_id, recipient, content_sha256, status, again from invoice_mail where mail_id = :mail_id

-- mails_of --
-- What was sent of an invoice, when and to whom, newest first.
-- index: invoice_mail_tenant_invoice_idx   rows: <= 50
-- with: invoice_id = (select invoice_id from invoice_mail limit 1)
select mail_id, invoice_id, recipient, subject, status, waits_for, answer, again, queued_at, settled_at from invoice_mail
where invoice_id = :invoice_id order by queued_at desc, mail_id desc limit 50

-- mail_lock --
-- A mail about to be sent, held against a second worker.
-- index: invoice_mail_pkey   rows: <= 1   role: worker
-- with: mail_id = (select mail_id from invoice_mail where status = 'queued' limit 1)
select mail_id, invoice_id, recipient, locale, subject, message, xml_format, attempts, queued_at from invoice_mail
where mail_id = :mail_id and status = 'queued' for update

-- mail_settle --
-- What became of a mail.
-- index: invoice_mail_pkey   rows: <= 0   role: worker
-- with: mail_id = (select mail_id from invoice_mail where status = 'queued' limit 1), status = 'sent', answer = '', now = now()
update invoice_mail set status = :status, answer = :answer, waits_for = '', attempts = attempts + 1, settled_at = :now
where mail_id = :mail_id

-- mail_wait --
-- A mail is tried again later, and why.
-- index: invoice_mail_pkey   rows: <= 0   role: worker
-- with: mail_id = (select mail_id from invoice_mail where status = 'queued' limit 1), waits_for = 'server', answer = ''
update invoice_mail set waits_for = :waits_for, answer = :answer, attempts = attempts + 1 where mail_id = :mail_id

-- document_get --
-- Where a printed invoice is kept.
-- index: invoice_document_pkey   rows: <= 1
-- with: invoice_id = (select invoice_id from invoice_document limit 1)
select object_key, sha256, bytes, created_at from invoice_document where kind = 'pdf' and invoice_id = :invoice_id

-- document_create --
-- A document is stored; a second run of the same job changes nothing.
-- index: none (insert)   rows: <= 0   role: worker
-- with: invoice_id = (select invoice_id from invoice where status = 'open' limit 1), object_key = 'x', sha256 = sha256('x'), bytes = 1, now = now()
insert into invoice_document (kind, invoice_id, object_key, sha256, bytes, created_at)
values ('pdf', :invoice_id, :object_key, :sha256, :bytes, :now)
on conflict (tenant_id, kind, invoice_id) do nothing

-- tax_rates --
-- The tenant's tax rates with its country; one row of nothing but the country while it has no list of its own.
-- index: none (one short list)   rows: <= 200
select coalesce(p.country, t.country) as country, r.tax_rate_id, r.code, r.name, r.tax_category, r.rate_bp,
  r.valid_from, r.valid_until, r.exemption_reason, r.exemption_code
from tenant t left join seller_profile p on p.tenant_id = t.tenant_id left join tax_rate r on r.tenant_id = t.tenant_id
where t.tenant_id = my_tenant() order by r.code, r.valid_from limit 200

-- tax_rates_lock --
-- One change of the tenant's list at a time, also of a list that has no row yet.
-- index: none (a lock)   rows: <= 1
select pg_advisory_xact_lock(hashtextextended('tax_rate/' || my_tenant()::text, 0))

-- tax_rates_begin --
-- Write the list of the tenant's country down as its own.
-- index: none (insert)   rows: <= 0
-- with: ids = array[gen_random_uuid()], codes = array['begin'], names = array['Begin'], categories = array['S'], rates_bp = array[1900], froms = array[current_date]
-- with: untils = array[null]::date[], reasons = array[''], exemption_codes = array[''], now = now()
insert into tax_rate (tax_rate_id, code, name, tax_category, rate_bp, valid_from, valid_until, exemption_reason, exemption_code, updated_at)
select row.*, :now::timestamptz from unnest(:ids::uuid[], :codes::text[], :names::text[], :categories::text[], :rates_bp::int[],
  :froms::date[], :untils::date[], :reasons::text[], :exemption_codes::text[]) as row

-- tax_rate_save --
-- A rate is on the list from now on; what it said before is replaced.
-- index: none (insert)   rows: <= 0
-- with: tax_rate_id = gen_random_uuid(), code = 'sample', name = 'Sample', tax_category = 'S', rate_bp = 1900, valid_from = current_date, valid_until = null::date, exemption_reason = '', exemption_code = '', now = now()
insert into tax_rate (tax_rate_id, code, name, tax_category, rate_bp, valid_from, valid_until, exemption_reason, exemption_code, updated_at)
values (:tax_rate_id, :code, :name, :tax_category, :rate_bp, :valid_from, :valid_until, :exemption_reason, :exemption_code, :now)
on conflict (tenant_id, tax_rate_id) do update set code = excluded.code, name = excluded.name, tax_category = excluded.tax_category,
  rate_bp = excluded.rate_bp, valid_from = excluded.valid_from, valid_until = excluded.valid_until,
  exemption_reason = excluded.exemption_reason, exemption_code = excluded.exemption_code, updated_at = excluded.updated_at

-- tax_rate_delete --
-- Take a rate off the list.
-- index: none (one short list)   rows: <= 0
-- with: tax_rate_id = (select tax_rate_id from tax_rate limit 1)
delete from tax_rate where tax_rate_id = :tax_rate_id

-- tax_reasons_write --
-- Why the rates of a draft about to be issued are what they are.
-- index: invoice_pkey   rows: <= 0
-- with: invoice_id = (select invoice_id from invoice where status = 'draft' limit 1), tax_reasons = '[]'::jsonb
update invoice set tax_reasons = :tax_reasons where invoice_id = :invoice_id and status = 'draft'

-- product_create --
-- A new product.
-- index: none (insert)   rows: <= 0
-- with: product_id = gen_random_uuid(), name = 'Sample', description = '', unit_price = 1, currency = 'EUR', tax_code = 'standard', unit = 'C62', now = now()
insert into product (product_id, name, description, unit_price, currency, tax_code, unit, created_at)
values (:product_id, :name, :description, :unit_price, :currency, :tax_code, :unit, :now)

-- product_edit --
-- Replace what is known of a product; lines written before stay as they were.
-- index: product_pkey   rows: <= 1
-- with: product_id = (select product_id from product limit 1), name = 'Sample', description = '', unit_price = 1, currency = 'EUR', tax_code = 'standard', unit = 'C62'
update product set name = :name, description = :description, unit_price = :unit_price, currency = :currency, tax_code = :tax_code,
  unit = :unit
where product_id = :product_id
returning archived_at

-- product_get --
-- One product.
-- index: product_pkey   rows: <= 1
-- with: product_id = (select product_id from product limit 1)
select product_id, name, description, unit_price, currency, tax_code, unit, archived_at from product where product_id = :product_id

-- product_archive --
-- Put a product away, or take it out again.
-- index: product_pkey   rows: <= 1
-- with: product_id = (select product_id from product limit 1), archived_at = now()
update product set archived_at = :archived_at where product_id = :product_id
returning product_id, name, description, unit_price, currency, tax_code, unit, archived_at

-- product_count --
-- How many products are offered, counted to the bound and no further.
-- index: product_tenant_offered_idx   rows: <= 1
select count(*) as products from (select from product where archived_at is null limit 500) as offered

-- product_list --
-- The products that are offered, by name.
-- index: product_tenant_offered_idx   rows: <= 500
select product_id, name, description, unit_price, currency, tax_code, unit, archived_at
from product where archived_at is null order by name_folded, product_id limit 500

-- product_list_archived --
-- The products that were put away, by name.
-- index: none (few are put away)   rows: <= 500
select product_id, name, description, unit_price, currency, tax_code, unit, archived_at
from product where archived_at is not null order by name_folded, product_id limit 500
