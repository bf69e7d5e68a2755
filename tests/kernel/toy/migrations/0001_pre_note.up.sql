create table note (
  tenant_id uuid not null default my_tenant(),
  note_id uuid not null,
  text text not null,
  primary key (tenant_id, note_id)
);
select protect('note', 'tenant');
