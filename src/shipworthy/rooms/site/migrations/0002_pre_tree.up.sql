-- Addresses that never break: where an address leads that shows no page now. A page is named by its id, so that
-- however often it moves, one step leads to it; to_url is another website.
create table redirect (
  tenant_id uuid not null default my_tenant(),
  redirect_id uuid not null,
  site_id uuid not null,
  from_path text collate "C" not null check (from_path ~ '^/[^?#]*$' and length(from_path) <= 300),
  to_page_id uuid,
  to_url text check (to_url ~ '^https?://[!-~]+$' and length(to_url) <= 2000),
  status int not null check (status in (301, 302, 307, 308, 410)),
  origin text not null check (origin in ('moved', 'deleted', 'manual', 'import')),
  hits bigint not null default 0,
  last_hit_at timestamptz,
  created_at timestamptz not null,
  primary key (tenant_id, redirect_id),
  foreign key (tenant_id, site_id) references site,
  foreign key (tenant_id, to_page_id) references page,
  check (num_nonnulls(to_page_id, to_url) = case when status = 410 then 0 else 1 end)
);
create unique index redirect_path_idx on redirect (tenant_id, site_id, from_path);
create index redirect_page_idx on redirect (tenant_id, to_page_id) where to_page_id is not null;
select protect('redirect', 'tenant');
-- Jobs publish, and a page that is shown takes out what led elsewhere; nothing else is theirs.
revoke insert, update on redirect from worker;
revoke update on redirect from app;
grant update (to_page_id, to_url, status, origin, hits, last_hit_at, created_at) on redirect to app;

-- The tree is what the addresses say: parent_id is the nearest page above a page's address, kept beside it so that
-- the pages below one can be listed in their order; all zeros at the top. A page that nobody ordered stands last.
drop index page_path_idx;
alter table page alter column path type text collate "C";
alter table page
  add column parent_id uuid not null default '00000000-0000-0000-0000-000000000000',
  add column position int not null default 1000000,
  -- A page in the bin keeps its address until another page takes it; bin_version is what visitors saw.
  add column deleted_at timestamptz,
  add column bin_version int,
  drop constraint page_status_check,
  add constraint page_status_check check (status in ('draft', 'published', 'deleted')),
  add constraint page_deleted_check check ((status = 'deleted') = (deleted_at is not null));
create unique index page_path_idx on page (tenant_id, site_id, path) where status <> 'deleted';
create index page_tree_idx on page (tenant_id, site_id, parent_id, position, page_id) where status <> 'deleted';
create index page_bin_idx on page (tenant_id, deleted_at desc, page_id desc) where status = 'deleted';
drop index page_menu_idx;
create index page_menu_idx on page (tenant_id, site_id, position, page_id) where status = 'published' and in_menu;
drop index page_updated_idx;
create index page_updated_idx on page (tenant_id, updated_at desc, page_id desc) where status <> 'deleted';
alter table page no force row level security;
update page p set parent_id = a.page_id
from page a
where a.tenant_id = p.tenant_id and a.site_id = p.site_id and a.path <> '/' and starts_with(p.path, a.path || '/')
  and not exists (
    select from page n where n.tenant_id = p.tenant_id and n.site_id = p.site_id and n.path <> '/'
      and starts_with(p.path, n.path || '/') and length(n.path) > length(a.path)
  );
alter table page force row level security;

-- The preview host, where people look at what is not published yet.
alter table site_domain
  drop constraint site_domain_role_check,
  add constraint site_domain_role_check check (role in ('primary', 'alias', 'preview'));
create unique index site_domain_preview_idx on site_domain (realm_id, tenant_id, site_id) where role = 'preview';
create index site_domain_tenant_idx on site_domain (realm_id, tenant_id, host);
alter table site_domain no force row level security;
insert into site_domain (realm_id, host, tenant_id, site_id, role)
select realm_id, 'preview.' || host, tenant_id, site_id, 'preview' from site_domain
where role = 'primary' and length(host) <= 245
on conflict do nothing;
alter table site_domain force row level security;
