-- site_create --
-- A tenant's site.
-- index: none (insert)   rows: <= 0
-- with: site_id = gen_random_uuid(), title = 'Sample', tagline = ''
insert into site (site_id, title, tagline) values (:site_id, :title, :tagline)

-- domain_create --
-- The host a site answers on.
-- index: none (insert)   rows: <= 0
-- with: host = gen_random_uuid()::text || '.example', tenant_id = my_tenant(), site_id = gen_random_uuid()
insert into site_domain (host, tenant_id, site_id) values (:host, :tenant_id, :site_id)

-- domain_get --
-- Whose site a host shows, and on which host that site lives.
-- index: site_domain_pkey   rows: <= 1   scope: realm
-- with: host = (select host from site_domain limit 1)
select d.tenant_id, d.site_id, d.role,
  (select p.host from site_domain p where p.tenant_id = d.tenant_id and p.site_id = d.site_id and p.role = 'primary' limit 1) as primary_host
from site_domain d where d.host = :host

-- site_get --
-- The tenant's site (the oldest, where there are several).
-- index: site_pkey   rows: <= 1
select site_id, title, tagline, epoch from site order by site_id limit 1

-- domain_of_site --
-- The host a site lives on, for links from the console.
-- index: site_domain_site_idx   rows: <= 1   scope: realm
-- with: tenant_id = (select tenant_id from site_domain limit 1), site_id = (select site_id from site_domain limit 1)
select host from site_domain where tenant_id = :tenant_id and site_id = :site_id and role = 'primary' limit 1

-- site_next_epoch --
-- Something visible changed: move the site's epoch, which names the next sitemap.
-- index: site_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1)
update site set epoch = epoch + 1 where site_id = :site_id returning epoch

-- page_create --
-- A new page, as a draft.
-- index: none (insert)   rows: <= 0
-- with: page_id = gen_random_uuid(), site_id = (select site_id from site limit 1), path = '/sample-' || gen_random_uuid(), now = now()
insert into page (page_id, site_id, path, created_at, updated_at) values (:page_id, :site_id, :path, :now, :now)

-- version_create --
-- What the page says from now on; versions never change.
-- index: none (insert)   rows: <= 0
-- with: page_id = (select page_id from page limit 1), version = 1000000, title = 'Sample', description = '', body = '', author_id = null::uuid, now = now()
insert into page_version (page_id, version, title, description, body, author_id, created_at)
values (:page_id, :version, :title, :description, :body, :author_id, :now)

-- page_edit --
-- Move a page to its next version, if it is still at the one the editor saw.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page limit 1), seen = 1, path = '/sample-' || gen_random_uuid(), now = now()
update page set version = version + 1, path = :path, updated_at = :now
where page_id = :page_id and version = :seen returning version

-- page_get --
-- One page with its newest version, for the editor.
-- index: page_pkey, page_version_pkey   rows: <= 1
-- with: page_id = (select page_id from page order by page_id desc limit 1)
select p.page_id, p.site_id, p.path, p.status, p.version, p.published_version, p.published_at, p.updated_at, v.title, v.description, v.body
from page p join page_version v on v.page_id = p.page_id and v.version = p.version and v.tenant_id = p.tenant_id
where p.page_id = :page_id

-- page_lock --
-- The page while its state changes.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page limit 1)
select page_id, site_id, path, status, version, published_version from page where page_id = :page_id for update

-- page_list --
-- Pages, the last edited first; the list screen and the API both use it.
-- index: page_updated_idx   rows: <= 51
-- with: before_at = 'infinity'::timestamptz, before_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, page_rows = 51
select p.page_id, p.path, p.status, p.version, p.published_version, p.updated_at, v.title
from page p join page_version v on v.page_id = p.page_id and v.version = p.version and v.tenant_id = p.tenant_id
where (p.updated_at, p.page_id) < (:before_at, :before_id)
order by p.updated_at desc, p.page_id desc limit :page_rows

-- page_publish --
-- Show this version to visitors.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page limit 1), version = 1, now = now()
update page set status = 'published', published_version = :version, published_at = coalesce(published_at, :now), content_changed_at = :now
where page_id = :page_id

-- page_unpublish --
-- Show it to nobody.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page limit 1)
update page set status = 'draft', published_version = null where page_id = :page_id

-- published_page --
-- What a visitor of this address is to read.
-- index: page_path_idx   rows: <= 1
-- with: site_id = (select site_id from site limit 1), path = '/'
select p.path, v.title, v.description, v.body, p.published_at, p.content_changed_at, s.title as site_title, s.tagline
from page p
join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
join site s on s.tenant_id = p.tenant_id and s.site_id = p.site_id
where p.site_id = :site_id and p.path = :path and p.status = 'published'

-- published_menu --
-- The pages a visitor can walk to from any page.
-- index: page_published_idx   rows: <= 12
-- with: site_id = (select site_id from site limit 1)
select p.path, v.title
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
where p.site_id = :site_id and p.status = 'published' order by p.page_id limit 12

-- published_paths --
-- Every address of the site with the day it truly changed, for the sitemap; a shard at a time.
-- index: page_published_idx   rows: <= 10000
-- with: site_id = (select site_id from site limit 1), after_id = '00000000-0000-0000-0000-000000000000'::uuid
select page_id, path, content_changed_at from page
where site_id = :site_id and status = 'published' and page_id > :after_id order by page_id limit 10000

-- render_get --
-- A page as it is sent.
-- index: page_render_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1), path = '/', revision = (select revision from page_render limit 1)
select media_type, etag, body, gzipped from page_render where site_id = :site_id and path = :path and revision = :revision

-- render_put --
-- Keep what was rendered.
-- index: none (insert)   rows: <= 0
-- with: site_id = gen_random_uuid(), path = '/', revision = '', media_type = 'text/html', etag = '""', body = '\x00'::bytea, gzipped = '\x00'::bytea, now = now()
insert into page_render (site_id, path, revision, media_type, etag, body, gzipped, rendered_at)
values (:site_id, :path, :revision, :media_type, :etag, :body, :gzipped, :now)
on conflict (tenant_id, site_id, path) do update
set revision = excluded.revision, media_type = excluded.media_type, etag = excluded.etag, body = excluded.body,
  gzipped = excluded.gzipped, rendered_at = excluded.rendered_at

-- render_drop_all --
-- Forget every rendered page of the site: its menu or its title changed.
-- index: page_render_pkey   rows: <= 0
-- with: site_id = (select site_id from site limit 1)
delete from page_render where site_id = :site_id and path <> '/sitemap.xml'

-- announce --
-- Tell every web process, at commit, that an address (or '*': all of them) of a site changed.
-- index: none (a notification)   rows: <= 1
-- with: payload = 'sample'
select pg_notify('site_changed', :payload)
