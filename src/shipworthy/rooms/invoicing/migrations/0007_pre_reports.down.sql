drop index payment_tenant_paid_idx;
create index payment_tenant_paid_idx on payment (tenant_id, paid_on desc, payment_id desc);
drop index invoice_tenant_open_idx;
drop index invoice_tenant_status_issued_idx;
create index invoice_tenant_status_issued_idx on invoice (tenant_id, status, issue_date desc, invoice_id desc);
drop index invoice_tenant_seq_idx;
drop index invoice_tenant_number_idx;
drop table customer_word;
drop function search_words(text);
