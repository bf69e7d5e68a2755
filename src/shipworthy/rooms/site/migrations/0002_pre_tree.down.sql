alter table site_domain no force row level security;
delete from site_domain where role = 'preview';
alter table site_domain force row level security;
drop index site_domain_tenant_idx;
drop index site_domain_preview_idx;
alter table site_domain
  drop constraint site_domain_role_check,
  add constraint site_domain_role_check check (role in ('primary', 'alias'));
drop table redirect;
drop index page_bin_idx;
drop index page_tree_idx;
drop index page_path_idx;
drop index page_updated_idx;
drop index page_menu_idx;
-- What is in the bin comes back as drafts: an older release knows no bin.
alter table page no force row level security;
update page set status = 'draft', deleted_at = null, path = '/deleted-' || page_id where status = 'deleted';
alter table page force row level security;
alter table page
  drop constraint page_deleted_check,
  drop constraint page_status_check,
  add constraint page_status_check check (status in ('draft', 'published')),
  drop column bin_version,
  drop column deleted_at,
  drop column position,
  drop column parent_id,
  alter column path type text collate "default";
create unique index page_path_idx on page (tenant_id, site_id, path);
create index page_updated_idx on page (tenant_id, updated_at desc, page_id desc);
create index page_menu_idx on page (tenant_id, site_id, page_id) where status = 'published' and in_menu;
