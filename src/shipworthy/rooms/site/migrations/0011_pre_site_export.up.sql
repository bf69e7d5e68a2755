-- The last archive that was made of a site, or is being made: `export_id` names its file.
create table site_export (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  export_id uuid not null,
  status text not null check (status in ('making', 'made')),
  done int not null default 0,
  bytes bigint not null default 0,
  asked_at timestamptz not null,
  made_at timestamptz,
  primary key (tenant_id, site_id),
  foreign key (tenant_id, site_id) references site,
  check ((status = 'made') = (made_at is not null))
);
select protect('site_export', 'tenant');
revoke insert, delete on site_export from worker;
