-- How a tenant's invoices look. It stands with the seller, so an invoice keeps the look it was issued with.
alter table seller_profile
  add column accent text not null default '' check (accent ~ '^(#[0-9a-f]{6})?$'),
  add column footer text not null default '' check (length(footer) <= 300),
  add column logo_key text not null default '' check (length(logo_key) <= 200); -- in the file store
