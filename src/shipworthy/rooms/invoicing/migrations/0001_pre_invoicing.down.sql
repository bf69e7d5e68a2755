drop table invoice_document;
drop table invoice_tax;
drop table invoice_line;
drop policy invoice_frozen_when_issued on invoice;
drop function invoice_change_allowed(invoice);
drop table invoice;
drop table series;
drop table customer;
