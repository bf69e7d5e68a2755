-- What lists are searched by, and indexes that hold what lists narrow and figures add up.

-- The words of a text as both sides of a search see them: small letters without accents, cut at blanks and ASCII's
-- punctuation only, so that it is the same whatever the database's locale knows of other letters.
create function search_words(written text) returns text[] language sql immutable parallel safe as $$
  select coalesce(array_agg(distinct word order by word), '{}')
  from regexp_split_to_table(
    translate(replace(replace(
      regexp_replace(lower(normalize(written, nfkd)), '[\u0300-\u036f]', '', 'g'), 'ß', 'ss'), 'æ', 'ae'), 'øłđ', 'old'),
    '[\s!-/:-@\[-`{-~]+') as word
  where word <> ''
$$;

-- One row per word of a customer. A list of words (GIN) is out: its operators are not leakproof, so row security keeps
-- them from the index. Comparing texts is leakproof, and in the order of bytes every beginning is a range.
create table customer_word (
  tenant_id uuid not null default my_tenant(),
  word text collate "C" not null,
  customer_id uuid not null,
  primary key (tenant_id, word, customer_id),
  foreign key (tenant_id, customer_id) references customer on delete cascade
);
create index customer_word_tenant_customer_idx on customer_word (tenant_id, customer_id, word);
select protect('customer_word', 'tenant');
alter table customer_word alter column tenant_id set (n_distinct = 20); -- as for customer
revoke update on customer_word from app;
revoke insert, update, delete on customer_word from worker;

alter table customer no force row level security;
alter table customer_word no force row level security;
insert into customer_word (tenant_id, word, customer_id)
select tenant_id, word, customer_id
from customer, unnest(search_words(name || ' ' || city || ' ' || email || ' ' || tax_id)) as word;
alter table customer force row level security;
alter table customer_word force row level security;

-- Holds what lists narrow by, because many numbers begin alike: 2026- is all of a year.
create index invoice_tenant_number_idx on invoice (tenant_id, number collate "C")
  include (status, issue_date, invoice_id, customer_id, currency, exponent, due_date, gross_minor) where number is not null;
create index invoice_tenant_seq_idx on invoice (tenant_id, seq) where seq is not null; -- who types 147 means 2026-00147

-- As before, and what lists narrow and figures add up with it: they read no row that they do not show.
drop index invoice_tenant_status_issued_idx;
create index invoice_tenant_status_issued_idx on invoice (tenant_id, status, issue_date desc, invoice_id desc)
  include (customer_id, currency, exponent, due_date, gross_minor);
-- What is owed, by the day it is due.
create index invoice_tenant_open_idx on invoice (tenant_id, due_date, customer_id)
  include (currency, gross_minor, paid_minor, credited_minor) where status = 'open';
drop index payment_tenant_paid_idx;
create index payment_tenant_paid_idx on payment (tenant_id, paid_on desc, payment_id desc)
  include (currency, amount_minor, reversed_at);
