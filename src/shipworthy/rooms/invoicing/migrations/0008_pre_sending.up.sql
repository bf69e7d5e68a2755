-- Why an issued invoice has no PDF: one that cannot be printed is not tried again until somebody asks for it.
create table invoice_pdf_failure (
  tenant_id uuid not null default my_tenant(),
  invoice_id uuid not null,
  code text not null,
  reason text not null check (length(reason) <= 1000),
  failed_at timestamptz not null,
  primary key (tenant_id, invoice_id),
  foreign key (tenant_id, invoice_id) references invoice
);
select protect('invoice_pdf_failure', 'tenant');
alter table invoice_pdf_failure alter column tenant_id set (n_distinct = 20); -- as for customer
revoke insert, update on invoice_pdf_failure from app;
revoke delete on invoice_pdf_failure from worker;

-- Mails with an issued invoice: one row a recipient, and what became of it.
create table invoice_mail (
  tenant_id uuid not null default my_tenant(),
  mail_id uuid not null,
  invoice_id uuid not null,
  recipient text not null check (length(recipient) between 3 and 254),
  locale text not null check (locale in ('en', 'de')),
  subject text not null check (length(subject) between 1 and 200),
  message text not null check (length(message) between 1 and 5000),
  xml_format text not null check (xml_format in ('', 'ubl', 'cii', 'xrechnung', 'peppol')),
  content_sha256 bytea not null check (length(content_sha256) = 32),
  again smallint not null default 0 check (again between 0 and 50), -- how often the same was sent before, on purpose
  status text not null default 'queued' check (status in ('queued', 'sent', 'failed', 'bounced')),
  waits_for text not null default '' check (waits_for in ('', 'pdf', 'server')),
  attempts smallint not null default 0,
  answer text not null default '' check (length(answer) <= 500), -- what the mail server said
  queued_at timestamptz not null,
  settled_at timestamptz,
  primary key (tenant_id, mail_id),
  foreign key (tenant_id, invoice_id) references invoice,
  -- However often it is asked for: the same mail to the same person goes out once.
  constraint invoice_mail_key unique (tenant_id, invoice_id, recipient, content_sha256, again),
  constraint invoice_mail_settled check ((status = 'queued') = (settled_at is null)),
  constraint invoice_mail_waits_while_queued check (waits_for = '' or status = 'queued')
) with (fillfactor = 85);
create index invoice_mail_tenant_invoice_idx on invoice_mail (tenant_id, invoice_id, queued_at desc, mail_id desc);
select protect('invoice_mail', 'tenant');
alter table invoice_mail alter column tenant_id set (n_distinct = 20); -- as for customer
revoke update, delete on invoice_mail from app;
revoke insert, update, delete on invoice_mail from worker;
grant update (status, waits_for, attempts, answer, settled_at) on invoice_mail to worker;
create policy invoice_mail_settled_for_good on invoice_mail as restrictive for update to public
  using (status = 'queued') with check (true);
