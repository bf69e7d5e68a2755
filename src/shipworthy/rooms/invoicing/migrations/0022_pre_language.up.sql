-- The language a customer's documents and mails are in; empty: that of their country. An issued invoice keeps its own in `buyer`.
alter table customer add column language text not null default '' check (language in ('', 'en', 'de'));
