-- Drafts from a file: which import made them, and which row of which source each came from. A file that is read twice
-- makes each of its drafts once; an import that was a mistake is taken back.
create table invoice_import (
  tenant_id uuid not null default my_tenant(),
  import_id uuid not null,
  source_type text not null check (length(source_type) between 1 and 40),
  created int not null check (created > 0),
  created_at timestamptz not null,
  undone_at timestamptz,
  taken_back int not null default 0 check (taken_back between 0 and created),
  primary key (tenant_id, import_id)
);
create index invoice_import_tenant_created_idx on invoice_import (tenant_id, created_at desc, import_id desc);
select protect('invoice_import', 'tenant');
alter table invoice_import alter column tenant_id set (n_distinct = 20); -- as for customer
revoke update, delete on invoice_import from app;
grant update (undone_at, taken_back) on invoice_import to app;

create table invoice_source (
  tenant_id uuid not null default my_tenant(),
  source_type text not null check (length(source_type) between 1 and 40),
  source_id text not null check (length(source_id) between 1 and 200),
  invoice_id uuid not null,
  import_id uuid not null,
  primary key (tenant_id, source_type, source_id),
  foreign key (tenant_id, invoice_id) references invoice on delete cascade,
  foreign key (tenant_id, import_id) references invoice_import
);
create index invoice_source_tenant_invoice_idx on invoice_source (tenant_id, invoice_id);
create index invoice_source_tenant_import_idx on invoice_source (tenant_id, import_id, invoice_id);
select protect('invoice_source', 'tenant');
alter table invoice_source alter column tenant_id set (n_distinct = 20);
revoke update, delete on invoice_source from app;
revoke insert, update, delete on invoice_import, invoice_source from worker;
