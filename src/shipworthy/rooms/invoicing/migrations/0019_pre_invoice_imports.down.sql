drop table invoice_source;
drop table invoice_import;
