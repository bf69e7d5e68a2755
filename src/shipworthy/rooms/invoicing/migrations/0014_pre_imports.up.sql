-- Which row of which source a customer came from: a file that is read twice makes each of its customers once.
create table customer_source (
  tenant_id uuid not null default my_tenant(),
  source_type text not null check (length(source_type) between 1 and 40),
  source_id text not null check (length(source_id) between 1 and 200),
  customer_id uuid not null,
  primary key (tenant_id, source_type, source_id),
  foreign key (tenant_id, customer_id) references customer on delete cascade
);
create index customer_source_tenant_customer_idx on customer_source (tenant_id, customer_id);
select protect('customer_source', 'tenant');
alter table customer_source alter column tenant_id set (n_distinct = 20); -- as for customer
revoke update, delete on customer_source from app;
revoke insert, update, delete on customer_source from worker;
