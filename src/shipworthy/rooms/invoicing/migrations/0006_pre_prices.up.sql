-- Discounts and charges, of a line and of a whole document, and prices that include their tax. They are read and
-- written whole with what they change, so they stand beside it and not in rows of their own.
alter table invoice
  add column prices_include_tax boolean not null default false,
  add column changes jsonb not null default '[]' check (jsonb_typeof(changes) = 'array');
alter table invoice_line
  add column change jsonb check (jsonb_typeof(change) = 'object');
