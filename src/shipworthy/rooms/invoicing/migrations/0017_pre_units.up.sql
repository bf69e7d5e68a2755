-- What a quantity counts, as a code of UN/ECE Recommendation 20; C62 counts without a unit.
alter table invoice_line add column unit text not null default 'C62' check (unit ~ '^[A-Z0-9]{2,3}$');
alter table product add column unit text not null default 'C62' check (unit ~ '^[A-Z0-9]{2,3}$');
