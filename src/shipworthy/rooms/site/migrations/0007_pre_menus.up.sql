-- Menus put together by hand. A site without items in a menu has it made of its pages. An item of level 1 stands
-- below the nearest one of level 0 before it.
create table menu_item (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  menu text not null check (menu in ('main', 'footer')),
  position int not null check (position between 0 and 99),
  level int not null default 0 check (level in (0, 1)),
  label text not null default '' check (length(label) <= 60),
  page_id uuid,
  url text check (url ~ '^https?://[!-~]+$' and length(url) <= 2000),
  primary key (tenant_id, site_id, menu, position),
  foreign key (tenant_id, site_id) references site,
  foreign key (tenant_id, page_id) references page,
  check (num_nonnulls(page_id, url) = 1),
  check (url is null or label <> ''),
  check (position > 0 or level = 0)
);
create index menu_item_page_idx on menu_item (tenant_id, page_id) where page_id is not null;
select protect('menu_item', 'tenant');
revoke insert, update, delete on menu_item from worker;
