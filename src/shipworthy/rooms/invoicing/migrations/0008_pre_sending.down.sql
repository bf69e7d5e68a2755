drop table invoice_mail;
drop table invoice_pdf_failure;
