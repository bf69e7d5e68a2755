-- What was issued keeps its rates; the list they came from, and why they were applied, goes.
alter table invoice_line drop column tax_code;
alter table invoice drop column tax_reasons;
drop table tax_rate;
