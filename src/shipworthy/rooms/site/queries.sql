-- tenant_named --
-- The organisation's name and short name: what its site is called at first, and where it lives.
-- index: tenant_pkey   rows: <= 1
-- with: tenant_id = my_tenant()
select name, slug from tenant where tenant_id = :tenant_id

-- site_create --
-- A tenant's site, unless it is there already.
-- index: none (insert)   rows: <= 0
-- with: site_id = gen_random_uuid(), title = 'Sample', tagline = '', theme = 'harbour', accent = 'ocean', now = now()
insert into site (site_id, title, tagline, theme, accent, created_at) values (:site_id, :title, :tagline, :theme, :accent, :now)
on conflict do nothing

-- domain_create --
-- The host a site answers on; no row when the host is taken.
-- index: none (insert)   rows: <= 1
-- with: host = gen_random_uuid()::text || '.example', tenant_id = my_tenant(), site_id = (select site_id from site limit 1)
insert into site_domain (host, tenant_id, site_id) values (:host, :tenant_id, :site_id)
on conflict do nothing returning host

-- domain_preview --
-- The host on which the site's people look at what is not published; no row when the host is taken.
-- index: none (insert)   rows: <= 1
-- with: host = gen_random_uuid()::text || '.example', tenant_id = my_tenant(), site_id = (select site_id from site limit 1)
insert into site_domain (host, tenant_id, site_id, role) values (:host, :tenant_id, :site_id, 'preview')
on conflict do nothing returning host

-- domain_get --
-- Whose site a host shows, and on which host that site lives.
-- index: site_domain_pkey, site_domain_primary_idx   rows: <= 1   scope: realm
-- with: host = (select host from site_domain limit 1)
select d.tenant_id, d.site_id, d.role, own.host as primary_host
from site_domain d
left join site_domain own on own.tenant_id = d.tenant_id and own.site_id = d.site_id and own.role = 'primary'
where d.host = :host

-- site_chosen --
-- One of the tenant's sites, or its first where it has none of that id; the host it lives on, the one for previews, and
-- the clock its people read.
-- index: site_pkey, site_domain_primary_idx, site_domain_preview_idx, tenant_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1)
select s.site_id, s.title as site_title, s.tagline, s.theme, s.accent, s.crawlers, s.locale, s.epoch, d.host, v.host as preview_host, t.time_zone
from site s
join tenant t on t.tenant_id = s.tenant_id
left join site_domain d on d.tenant_id = s.tenant_id and d.site_id = s.site_id and d.role = 'primary'
left join site_domain v on v.tenant_id = s.tenant_id and v.site_id = s.site_id and v.role = 'preview'
where s.site_id = coalesce(
  (select site_id from site where site_id = :site_id), (select site_id from site order by created_at, site_id limit 1))

-- site_list --
-- The tenant's sites and where they live, the first one first.
-- index: site_pkey, site_domain_primary_idx   rows: <= 50
select s.site_id, s.title as site_title, s.tagline, s.theme, s.locale, d.host
from site s
left join site_domain d on d.tenant_id = s.tenant_id and d.site_id = s.site_id and d.role = 'primary'
order by s.created_at, s.site_id limit 50

-- site_name --
-- What a site is called, and its language.
-- index: site_pkey   rows: <= 0
-- with: site_id = (select site_id from site limit 1), title = 'Sample', tagline = '', locale = null::text
update site set title = :title, tagline = :tagline, locale = :locale where site_id = :site_id

-- site_next_epoch --
-- Something visitors see has changed: move the site's epoch, which names the next sitemap.
-- index: site_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1)
update site set epoch = epoch + 1 where site_id = :site_id returning epoch

-- page_create --
-- A new page, as a draft; no row when the address is taken.
-- index: none (insert)   rows: <= 1
-- with: page_id = gen_random_uuid(), site_id = (select site_id from site limit 1), path = '/sample-' || gen_random_uuid(), now = now()
insert into page (page_id, site_id, path, created_at, updated_at) values (:page_id, :site_id, :path, :now, :now)
on conflict do nothing returning page_id

-- version_create --
-- What the page says from now on; versions never change.
-- index: none (insert)   rows: <= 0
-- with: page_id = (select page_id from page limit 1), version = 1000000, title = 'Sample', description = '', body = '', blocks = '[]'::jsonb, top_html = '', intro_html = '', body_html = '', json_ld = '[]'::jsonb, in_menu = true, author_id = null::uuid, author_name = '', is_autosave = false, now = now()
insert into page_version (page_id, version, title, description, body, blocks, top_html, intro_html, body_html, json_ld, in_menu,
  author_id, author_name, is_autosave, created_at)
values (:page_id, :version, :title, :description, :body, :blocks, :top_html, :intro_html, :body_html, :json_ld, :in_menu,
  :author_id, :author_name, :is_autosave, :now)

-- page_edit --
-- Move a page to its next version.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page limit 1), now = now()
update page set version = version + 1, updated_at = :now where page_id = :page_id returning version

-- page_at --
-- Which page has this address.
-- index: page_path_idx   rows: <= 1
-- with: site_id = (select site_id from site limit 1), path = (select path from page limit 1)
select page_id from page where site_id = :site_id and path = :path and status <> 'deleted'

-- branch_lock --
-- Hold a page and all below it while they move, in one order, so that two who move wait for one another.
-- index: page_path_idx   rows: <= 100000
-- with: site_id = (select site_id from site limit 1), from_path = (select path from page where path like '/volume/%' limit 1), below = '/volume/page-1/', beyond = '/volume/page-10'
select page_id from page
where site_id = :site_id and status <> 'deleted' and path >= :from_path and path < :beyond and (path = :from_path or path >= :below)
order by page_id for update

-- branch_clash --
-- An address that a branch would have after its move and a page outside it has already.
-- index: page_path_idx   rows: <= 1
-- with: site_id = (select site_id from site limit 1), from_path = '/volume/page-1', below = '/volume/page-1/', beyond = '/volume/page-10', to_path = '/volume/page-2'
select t.path from page m
join page t on t.tenant_id = m.tenant_id and t.site_id = m.site_id and t.status <> 'deleted'
  and t.path = :to_path || substr(m.path, length(:from_path) + 1)
where m.site_id = :site_id and m.status <> 'deleted'
  and m.path >= :from_path and m.path < :beyond and (m.path = :from_path or m.path >= :below)
  and not (t.path >= :from_path and t.path < :beyond and (t.path = :from_path or t.path >= :below))
limit 1

-- branch_move --
-- Give a page and all below it their next addresses. Search engines learn that what they know has changed.
-- index: page_path_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1), from_path = '/volume/page-1', below = '/volume/page-1/', beyond = '/volume/page-10', to_path = '/volume/moved', now = now()
update page set path = :to_path || substr(path, length(:from_path) + 1),
  content_changed_at = case when content_changed_at is null then null else :now::timestamptz end,
  updated_at = case when path = :from_path then :now::timestamptz else updated_at end
where site_id = :site_id and status <> 'deleted' and path >= :from_path and path < :beyond and (path = :from_path or path >= :below)

-- page_settle --
-- Hang a page below the nearest one above its address, if there is one; among others it stands last at first. Each
-- address is looked up by itself (lateral, limit 1): joined, a plan for the average tenant reads a large one's whole site.
-- index: page_pkey, page_path_idx   rows: <= 1
-- with: site_id = (select site_id from site limit 1), page_id = (select page_id from page limit 1), above = array['/volume']
with placed as (
  select coalesce((
    select a.page_id from unnest(:above::text[]) as u (path) cross join lateral (
      select page_id from page where site_id = :site_id and path = u.path and status <> 'deleted' limit 1
    ) as a order by length(u.path) desc limit 1
  ), '00000000-0000-0000-0000-000000000000') as parent_id
)
update page p set parent_id = placed.parent_id, position = case when p.parent_id = placed.parent_id then p.position else 1000000 end
from placed where p.page_id = :page_id returning p.parent_id

-- page_adopt --
-- Hang those below it that hung above it so far. They are found by their address: half a site may hang at the top.
-- index: page_path_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1), page_id = (select page_id from page limit 1), parent_id = '00000000-0000-0000-0000-000000000000'::uuid, below = '/volume/page-1/', beyond = '/volume/page-10'
update page set parent_id = :page_id
where site_id = :site_id and status <> 'deleted' and path >= :below and path < :beyond and parent_id is not distinct from :parent_id

-- siblings_lock --
-- Hold a page and those beside it while their order changes, in one order.
-- index: page_pkey, page_tree_idx   rows: <= 100000
-- with: page_id = (select page_id from page where path like '/volume/page-%1' limit 1)
select s.page_id, s.path, s.position from page p
join page s on s.tenant_id = p.tenant_id and s.site_id = p.site_id and s.parent_id = p.parent_id and s.status <> 'deleted'
where p.page_id = :page_id order by s.page_id for update of s

-- page_stands --
-- Where a page stands in the tree.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page limit 1)
select page_id, site_id, parent_id, path from page where page_id = :page_id and status <> 'deleted'

-- page_place --
-- Let a page stand before another one below the same page, or last; the others are numbered anew where that changes them.
-- index: page_tree_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1), page_id = (select page_id from page order by page_id desc limit 1), parent_id = (select page_id from page order by page_id limit 1), before = null::uuid
with others as (
  select page_id, row_number() over (order by position, page_id)::int as n from page
  where site_id = :site_id and parent_id = :parent_id and status <> 'deleted' and page_id <> :page_id
), here as (
  select coalesce((select n from others where page_id = :before), (select count(*)::int + 1 from others)) as n
), placed as (
  select o.page_id, case when o.n >= here.n then o.n + 1 else o.n end as n from others o cross join here
  union all
  select :page_id::uuid, n from here
)
update page p set position = placed.n from placed
where p.tenant_id = my_tenant() and p.page_id = placed.page_id and p.position is distinct from placed.n

-- page_children --
-- The pages right below some, in their order, from behind a place on.
-- index: page_tree_idx, page_version_pkey   rows: <= 220
-- with: site_id = (select site_id from site limit 1), parents = array['00000000-0000-0000-0000-000000000000'::uuid], position = -1, after_id = '00000000-0000-0000-0000-000000000000'::uuid, limit = 51
select c.parent_id, c.page_id, c.path, c.position, c.status, c.version, c.published_version, v.title,
  exists (
    select from page b where b.tenant_id = c.tenant_id and b.site_id = c.site_id and b.parent_id = c.page_id and b.status <> 'deleted'
  ) as has_below
from unnest(:parents::uuid[]) as u (parent_id) cross join lateral (
  select tenant_id, site_id, parent_id, page_id, path, position, status, version, published_version from page
  where site_id = :site_id and parent_id = u.parent_id and status <> 'deleted' and (position, page_id) > (:position, :after_id)
  order by position, page_id limit :limit
) as c
join page_version v on v.tenant_id = c.tenant_id and v.page_id = c.page_id and v.version = c.version
order by c.parent_id, c.position, c.page_id

-- page_line --
-- The pages from the top of the tree down to one.
-- index: page_pkey, page_version_pkey   rows: <= 150
-- with: page_id = (select page_id from page where path like '/volume/page-%1' limit 1)
with recursive line as (
  select page_id, parent_id, path, version, 1 as up from page where page_id = :page_id and status <> 'deleted'
  union all
  select p.page_id, p.parent_id, p.path, p.version, line.up + 1 from line
  join page p on p.tenant_id = my_tenant() and p.page_id = line.parent_id and p.status <> 'deleted' where line.up < 150
)
select line.page_id, line.path, v.title from line
join page_version v on v.tenant_id = my_tenant() and v.page_id = line.page_id and v.version = line.version
order by line.up desc

-- page_choices --
-- The first pages of a site by address, for choosing one. The addresses alone are read in their order, from the index;
-- each page is then looked up by itself, as in page_settle.
-- index: page_path_idx, page_version_pkey   rows: <= 501
-- with: site_id = (select site_id from site limit 1)
select p.page_id, few.path, p.status, v.title
from (select path from page where site_id = :site_id and status <> 'deleted' order by path limit 501) as few
cross join lateral (
  select tenant_id, page_id, status, version from page
  where site_id = :site_id and path = few.path and status <> 'deleted' limit 1
) as p
join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version
order by few.path

-- menu_list --
-- What was put into a site's menus by hand, in order.
-- index: menu_item_pkey   rows: <= 80
-- with: site_id = (select site_id from site limit 1)
select i.menu, i.position, i.level, i.label, i.page_id, i.url, p.path, p.status, v.title
from menu_item i
left join page p on p.tenant_id = i.tenant_id and p.page_id = i.page_id
left join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = coalesce(p.published_version, p.version)
where i.site_id = :site_id order by i.menu, i.position limit 80

-- menu_clear --
-- Take everything out of a menu.
-- index: menu_item_pkey   rows: <= 0
-- with: site_id = (select site_id from site limit 1), menu = 'main'
delete from menu_item where site_id = :site_id and menu = :menu

-- menu_put --
-- Put one item into a menu.
-- index: none (insert)   rows: <= 0
-- with: site_id = (select site_id from site limit 1), menu = 'footer', position = 99, level = 0, label = 'Sample', page_id = null::uuid, url = 'https://sample.example/'
insert into menu_item (site_id, menu, position, level, label, page_id, url) values (:site_id, :menu, :position, :level, :label, :page_id, :url)

-- redirect_leave --
-- From every address of a branch that was ever shown, a way to the page that leaves it. A draft that stands where
-- another page was shown leaves the way to that one.
-- index: page_path_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1), from_path = '/volume/page-1', below = '/volume/page-1/', beyond = '/volume/page-10', now = now()
insert into redirect (redirect_id, site_id, from_path, to_page_id, status, origin, created_at)
select gen_random_uuid(), site_id, path, page_id, 301, 'moved', :now from page
where site_id = :site_id and status <> 'deleted' and published_at is not null
  and path >= :from_path and path < :beyond and (path = :from_path or path >= :below)
on conflict (tenant_id, site_id, from_path) do update
set to_page_id = excluded.to_page_id, to_url = null, status = 301, origin = 'moved', hits = 0, last_hit_at = null, created_at = excluded.created_at
where exists (select from page s where s.tenant_id = excluded.tenant_id and s.page_id = excluded.to_page_id and s.status = 'published')

-- redirect_give_way --
-- Where a page of a branch is shown, nothing leads elsewhere.
-- index: page_path_idx, redirect_path_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1), from_path = '/volume/page-1', below = '/volume/page-1/', beyond = '/volume/page-10'
delete from redirect r using page p
where r.site_id = :site_id and p.tenant_id = r.tenant_id and p.site_id = r.site_id and p.path = r.from_path and p.status = 'published'
  and p.path >= :from_path and p.path < :beyond and (p.path = :from_path or p.path >= :below)

-- redirect_hit --
-- So many people were led on since the last time.
-- index: redirect_pkey   rows: <= 0
-- with: redirect_id = (select redirect_id from redirect limit 1), hits = 1::bigint, now = now()
update redirect set hits = hits + :hits, last_hit_at = :now where redirect_id = :redirect_id

-- redirect_put --
-- Let an address lead elsewhere from now on.
-- index: none (insert)   rows: <= 0
-- with: redirect_id = gen_random_uuid(), site_id = (select site_id from site limit 1), from_path = '/sample-' || gen_random_uuid(), to_page_id = null::uuid, to_url = 'https://sample.example/', status = 301, origin = 'manual', now = now()
insert into redirect (redirect_id, site_id, from_path, to_page_id, to_url, status, origin, created_at)
values (:redirect_id, :site_id, :from_path, :to_page_id, :to_url, :status, :origin, :now)
on conflict (tenant_id, site_id, from_path) do update
set to_page_id = excluded.to_page_id, to_url = excluded.to_url, status = excluded.status, origin = excluded.origin,
  hits = 0, last_hit_at = null, created_at = excluded.created_at

-- redirect_delete --
-- Let an address lead nowhere again.
-- index: redirect_pkey   rows: <= 1
-- with: redirect_id = (select redirect_id from redirect limit 1)
delete from redirect where redirect_id = :redirect_id returning site_id, from_path

-- redirect_get --
-- One redirect, and the page it leads to.
-- index: redirect_pkey, page_pkey   rows: <= 1
-- with: redirect_id = (select redirect_id from redirect limit 1)
select r.redirect_id, r.site_id, r.from_path, r.to_page_id, r.to_url, r.status, r.origin, r.hits, r.last_hit_at, r.created_at,
  t.path as target_path, t.status as target_status, own.host as target_host
from redirect r
left join page t on t.tenant_id = r.tenant_id and t.page_id = r.to_page_id
left join site_domain own on own.tenant_id = t.tenant_id and own.site_id = t.site_id and own.role = 'primary'
where r.redirect_id = :redirect_id

-- redirect_list --
-- A site's redirects by address, those that hold some text; the list screen and the API both use it.
-- index: redirect_path_idx, page_pkey   rows: <= 26
-- with: site_id = (select site_id from site limit 1), after = '', search = ''
select r.redirect_id, r.from_path, r.to_page_id, r.to_url, r.status, r.origin, r.hits, r.last_hit_at, r.created_at,
  t.path as target_path, t.status as target_status, own.host as target_host
from redirect r
left join page t on t.tenant_id = r.tenant_id and t.page_id = r.to_page_id
left join site_domain own on own.tenant_id = t.tenant_id and own.site_id = t.site_id and own.role = 'primary'
where r.site_id = :site_id and r.from_path > :after
  and (:search = '' or position(:search in r.from_path) > 0 or position(:search in lower(r.to_url)) > 0 or position(:search in t.path) > 0)
order by r.from_path limit 26

-- redirect_export --
-- Every redirect of a site by address, a part at a time.
-- index: redirect_path_idx   rows: <= 10000
-- with: site_id = (select site_id from site limit 1), after = ''
select r.redirect_id, r.from_path, r.to_page_id, r.to_url, r.status, r.origin, r.hits, r.last_hit_at, r.created_at,
  t.path as target_path, t.status as target_status, own.host as target_host
from redirect r
left join page t on t.tenant_id = r.tenant_id and t.page_id = r.to_page_id
left join site_domain own on own.tenant_id = t.tenant_id and own.site_id = t.site_id and own.role = 'primary'
where r.site_id = :site_id and r.from_path > :after order by r.from_path limit 10000

-- redirect_at --
-- The redirect of an address.
-- index: redirect_path_idx   rows: <= 1
-- with: site_id = (select site_id from site limit 1), from_path = '/old-1'
select redirect_id from redirect where site_id = :site_id and from_path = :from_path

-- redirects_among --
-- Which of these addresses lead elsewhere.
-- index: redirect_path_idx   rows: <= 20000
-- with: site_id = (select site_id from site limit 1), paths = array['/old-1', '/old-2']
select from_path, to_page_id, to_url, status from redirect where site_id = :site_id and from_path = any(:paths::text[])

-- pages_among --
-- Which of these addresses and ids are pages. Each address by itself, as in page_settle.
-- index: page_path_idx, page_pkey   rows: <= 20000
-- with: site_id = (select site_id from site limit 1), paths = array['/volume/page-1'], ids = (select array_agg(page_id) from (select page_id from page limit 2) as few)
select p.page_id, p.site_id, p.path, p.status from unnest(:paths::text[]) as u (path) cross join lateral (
  select page_id, site_id, path, status from page where site_id = :site_id and path = u.path and status <> 'deleted' limit 1
) as p
union
select p.page_id, p.site_id, p.path, p.status
from unnest(:ids::uuid[]) as u (page_id) join page p on p.page_id = u.page_id and p.tenant_id = my_tenant() and p.status <> 'deleted'

-- own_hosts --
-- The tenant's hosts, and whose site each shows.
-- index: site_domain_tenant_idx   rows: <= 1000
select host, site_id, role from site_domain where tenant_id = my_tenant() order by host limit 1000

-- domain_own --
-- One of the tenant's hosts.
-- index: site_domain_pkey   rows: <= 1
-- with: host = (select host from site_domain limit 1)
select host, site_id, role from site_domain where host = :host and tenant_id = my_tenant()

-- domain_add --
-- One more host that leads to the site; no row when it is taken.
-- index: none (insert)   rows: <= 1
-- with: host = gen_random_uuid()::text || '.example', tenant_id = my_tenant(), site_id = (select site_id from site limit 1)
insert into site_domain (host, tenant_id, site_id, role) values (:host, :tenant_id, :site_id, 'alias')
on conflict do nothing returning host

-- domain_step_down --
-- The host a site lived on leads to it from now on.
-- index: site_domain_tenant_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1)
update site_domain set role = 'alias' where tenant_id = my_tenant() and site_id = :site_id and role = 'primary'

-- domain_step_up --
-- The host a site lives on from now on.
-- index: site_domain_pkey   rows: <= 0
-- with: host = (select host from site_domain where role = 'primary' and tenant_id = my_tenant() limit 1)
update site_domain set role = 'primary' where host = :host and tenant_id = my_tenant()

-- domain_delete --
-- A host that leads nowhere from now on.
-- index: site_domain_pkey   rows: <= 0
-- with: host = (select host from site_domain limit 1)
delete from site_domain where host = :host and tenant_id = my_tenant() and role = 'alias'

-- claim_create --
-- A host that somebody says is theirs, unless they said so already.
-- index: none (insert)   rows: <= 0
-- with: claim_id = gen_random_uuid(), site_id = (select site_id from site limit 1), host = gen_random_uuid()::text || '.example', token = 'sample-of-twenty-characters', now = now()
insert into domain_claim (claim_id, site_id, host, token, created_at) values (:claim_id, :site_id, :host, :token, :now)
on conflict do nothing

-- claim_get --
-- One claim.
-- index: domain_claim_pkey   rows: <= 1
-- with: claim_id = (select claim_id from domain_claim limit 1)
select claim_id, site_id, host, token, created_at, verified_at from domain_claim where claim_id = :claim_id

-- claim_lock --
-- Hold a claim while its host is given or taken.
-- index: domain_claim_pkey   rows: <= 1
-- with: claim_id = (select claim_id from domain_claim limit 1)
select claim_id, site_id, host, verified_at from domain_claim where claim_id = :claim_id for update

-- claim_list --
-- What the tenant says is theirs.
-- index: domain_claim_host_idx   rows: <= 50
select claim_id, site_id, host, token, created_at, verified_at from domain_claim order by host limit 50

-- claim_move --
-- A claim that was not shown yet is for another site of the tenant.
-- index: domain_claim_pkey   rows: <= 0
-- with: claim_id = (select claim_id from domain_claim limit 1), site_id = (select site_id from site limit 1)
update domain_claim set site_id = :site_id where claim_id = :claim_id and verified_at is null

-- claim_verified --
-- A claim is shown to be true.
-- index: domain_claim_pkey   rows: <= 0
-- with: claim_id = (select claim_id from domain_claim limit 1), now = now()
update domain_claim set verified_at = :now where claim_id = :claim_id

-- claim_delete --
-- A claim that is taken back.
-- index: domain_claim_pkey   rows: <= 0
-- with: claim_id = (select claim_id from domain_claim limit 1)
delete from domain_claim where claim_id = :claim_id

-- page_delete --
-- Put a page into the bin, with what visitors saw of it; it neither comes nor goes by itself from there.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page limit 1), now = now()
update page set status = 'deleted', bin_version = published_version, published_version = null, deleted_at = :now,
  publish_at = null, publish_version = null, unpublish_at = null, schedule = schedule + 1
where page_id = :page_id and status <> 'deleted'

-- page_orphan --
-- The pages below one that goes hang where it hung.
-- index: page_pkey, page_tree_idx   rows: <= 0
-- with: page_id = (select page_id from page limit 1)
update page c set parent_id = p.parent_id from page p
where p.page_id = :page_id and c.tenant_id = p.tenant_id and c.site_id = p.site_id and c.parent_id = p.page_id and c.status <> 'deleted'

-- redirect_gone --
-- The address of a page in the bin leads to it: it is answered as gone, and leads on when the page comes back elsewhere.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page limit 1), now = now()
insert into redirect (redirect_id, site_id, from_path, to_page_id, status, origin, created_at)
select gen_random_uuid(), site_id, path, page_id, 301, 'deleted', :now from page where page_id = :page_id
on conflict (tenant_id, site_id, from_path) do update
set to_page_id = excluded.to_page_id, to_url = null, status = 301, origin = 'deleted', hits = 0, last_hit_at = null, created_at = excluded.created_at
where exists (select from page s where s.tenant_id = excluded.tenant_id and s.page_id = excluded.to_page_id and s.bin_version is not null)

-- bin_lock --
-- Hold a page in the bin while it comes back.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page limit 1)
select page_id, site_id, path, bin_version from page where page_id = :page_id and status = 'deleted' for update

-- page_restore --
-- Take a page out of the bin, shown to visitors if a version is named.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page limit 1), path = '/sample-' || gen_random_uuid(), published_version = null::int
update page set status = case when :published_version::int is null then 'draft' else 'published' end, path = :path,
  published_version = :published_version, bin_version = null, deleted_at = null
where page_id = :page_id and status = 'deleted'

-- bin_list --
-- What is in a site's bin, the last deleted first.
-- index: page_bin_idx, page_version_pkey   rows: <= 100
-- with: site_id = (select site_id from site limit 1)
select p.page_id, p.site_id, p.path, p.deleted_at, p.bin_version, v.title
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version
where p.site_id = :site_id and p.status = 'deleted' order by p.deleted_at desc, p.page_id desc limit 100

-- page_get --
-- One page with its newest version.
-- index: page_pkey, page_version_pkey   rows: <= 1
-- with: page_id = (select page_id from page order by page_id desc limit 1)
select p.page_id, p.site_id, p.parent_id, p.path, p.status, p.version, p.published_version, p.published_at, p.content_sha256, p.content_changed_at, p.updated_at,
  p.publish_at, p.publish_version, p.unpublish_at, p.schedule,
  v.title, v.description, v.body, v.blocks, v.top_html, v.intro_html, v.body_html, v.json_ld, v.in_menu
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version
where p.page_id = :page_id and p.status <> 'deleted'

-- page_lock --
-- Hold the page while its state changes. It is read afterwards, by a statement of its own: one that waited for the lock
-- while it joined would look for the newest version among those it saw before.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page order by page_id desc limit 1)
select page_id from page where page_id = :page_id and status <> 'deleted' for update

-- page_list --
-- Pages, the last edited first; the list screen and the API both use it.
-- index: page_updated_idx, page_version_pkey   rows: <= 26
-- with: site_id = (select site_id from site limit 1), updated_at = 'infinity'::timestamptz, page_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select p.page_id, p.path, p.status, p.version, p.published_version, p.published_at, p.updated_at, v.title
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version
where p.site_id = :site_id and p.status <> 'deleted' and (p.updated_at, p.page_id) < (:updated_at, :page_id)
order by p.updated_at desc, p.page_id desc limit 26

-- page_list_newer --
-- The pages edited after the first one of a list, for the way back.
-- index: page_updated_idx, page_version_pkey   rows: <= 26
-- with: site_id = (select site_id from site limit 1), updated_at = '-infinity'::timestamptz, page_id = '00000000-0000-0000-0000-000000000000'::uuid
select p.page_id, p.path, p.status, p.version, p.published_version, p.published_at, p.updated_at, v.title
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version
where p.site_id = :site_id and p.status <> 'deleted' and (p.updated_at, p.page_id) > (:updated_at, :page_id)
order by p.updated_at, p.page_id limit 26

-- page_named --
-- Under which title visitors see the page on others, if they see it, and whether a menu put together by hand leads to it.
-- index: page_pkey, page_version_pkey, menu_item_page_idx   rows: <= 1
-- with: page_id = (select page_id from page limit 1)
select p.in_menu, v.title,
  exists (select from menu_item i where i.tenant_id = p.tenant_id and i.page_id = p.page_id) as in_made_menu
from page p left join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
where p.page_id = :page_id

-- page_publish --
-- Show this version to visitors. The day of the change moves only when the content does. A plan to publish is over.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page where status <> 'deleted' limit 1), version = 1, in_menu = true, content_sha256 = '\x00'::bytea, content_changed_at = now(), now = now()
update page set status = 'published', published_version = :version, in_menu = :in_menu, content_sha256 = :content_sha256,
  content_changed_at = :content_changed_at, published_at = coalesce(published_at, :now), publish_at = null, publish_version = null
where page_id = :page_id

-- page_unpublish --
-- Show it to nobody. A plan to take it back is over, unless it is to come again before.
-- index: page_pkey   rows: <= 0
-- with: page_id = (select page_id from page where status <> 'deleted' limit 1)
update page set status = 'draft', published_version = null,
  unpublish_at = case when publish_at is null then null else unpublish_at end
where page_id = :page_id

-- published_page --
-- What a visitor of this address is to read, or where it leads, and what stands around it: the site's name, its menus,
-- and the pages above; in one round trip.
-- index: site_pkey, page_path_idx, page_version_pkey, page_menu_idx, menu_item_pkey, redirect_path_idx   rows: <= 1
-- with: site_id = (select site_id from site limit 1), path = (select path from page where status = 'published' limit 1)
select s.title as site_title, s.tagline, s.theme, s.accent, p.page_id, p.path, p.published_at, p.content_changed_at,
  v.title, v.description, v.top_html, v.intro_html, v.body_html, v.json_ld,
  array(
    select array[m.path, mv.title]
    from page m join page_version mv on mv.tenant_id = m.tenant_id and mv.page_id = m.page_id and mv.version = m.published_version
    where m.tenant_id = s.tenant_id and m.site_id = s.site_id and m.status = 'published' and m.in_menu
    order by m.position, m.page_id limit 12
  ) as menu,
  array(
    select array[i.menu, i.level::text, coalesce(i.url, ip.path), coalesce(nullif(i.label, ''), iv.title)]
    from menu_item i
    left join page ip on ip.tenant_id = i.tenant_id and ip.page_id = i.page_id and ip.status = 'published'
    left join page_version iv on iv.tenant_id = ip.tenant_id and iv.page_id = ip.page_id and iv.version = ip.published_version
    where i.tenant_id = s.tenant_id and i.site_id = s.site_id order by i.menu, i.position limit 80
  ) as menu_items,
  array(
    select array[c.path, cv.title]
    from generate_series(2, length(:path)) as n cross join lateral (
      select tenant_id, page_id, path, published_version from page
      where site_id = s.site_id and path = left(:path, n - 1) and status = 'published' limit 1
    ) as c
    join page_version cv on cv.tenant_id = c.tenant_id and cv.page_id = c.page_id and cv.version = c.published_version
    where substr(:path, n, 1) = '/' order by n
  ) as crumbs,
  r.redirect_id, r.status as redirect_status, r.to_url, t.path as target_path, t.status as target_status, own.host as target_host
from site s
left join page p on p.tenant_id = s.tenant_id and p.site_id = s.site_id and p.path = :path and p.status = 'published'
left join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
left join redirect r on r.tenant_id = s.tenant_id and r.site_id = s.site_id and r.from_path = :path and p.page_id is null
left join page t on t.tenant_id = r.tenant_id and t.page_id = r.to_page_id
left join site_domain own on own.tenant_id = t.tenant_id and own.site_id = t.site_id and own.role = 'primary'
where s.site_id = :site_id

-- published_paths --
-- Every address in a range of pages with the day its content changed, for the sitemap; so many at a time.
-- index: page_published_idx   rows: <= 10000
-- with: site_id = (select site_id from site limit 1), from_id = '00000000-0000-0000-0000-000000000000'::uuid, before_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select page_id, path, content_changed_at from page
where site_id = :site_id and status = 'published' and page_id >= :from_id and page_id < :before_id order by page_id limit 10000

-- shown_pictures --
-- The pictures that visitors see on a range of pages, for the sitemap; so many at a time.
-- index: asset_use_shown_idx   rows: <= 10000
-- with: from_id = '00000000-0000-0000-0000-000000000000'::uuid, after_id = '00000000-0000-0000-0000-000000000000'::uuid, before_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select u.page_id, u.asset_id, a.key, a.slug, a.width, a.is_private
from asset_use u join asset a on a.tenant_id = u.tenant_id and a.asset_id = u.asset_id
where u.is_shown and (u.page_id, u.asset_id) > (:from_id, :after_id) and u.page_id < :before_id
order by u.page_id, u.asset_id limit 10000

-- sitemap_parts --
-- The ranges of page ids that a site's sitemap is divided into.
-- index: sitemap_part_first_idx   rows: <= 1000   role: worker
-- with: site_id = (select site_id from site limit 1)
select part, first_page_id from sitemap_part where site_id = :site_id order by first_page_id limit 1000

-- sitemap_part_add --
-- A new range, unless another job made it.
-- index: none (insert)   rows: <= 0   role: worker
-- with: site_id = (select site_id from site limit 1), part = 999, first_page_id = gen_random_uuid()
insert into sitemap_part (site_id, part, first_page_id) values (:site_id, :part, :first_page_id) on conflict do nothing

-- asset_create --
-- A picture that was taken in; no row when the same file is there already.
-- index: none (insert)   rows: <= 1
-- with: asset_id = gen_random_uuid(), name = 'Sample', alt = '', key = left(md5(random()::text), 16), slug = 'sample', sent_sha256 = sha256(gen_random_uuid()::text::bytea), media_type = 'image/jpeg', width = 640, height = 480, bytes = 1000::bigint, is_private = false, now = now()
insert into asset (asset_id, name, alt, key, slug, sent_sha256, media_type, width, height, bytes, is_private, created_at)
values (:asset_id, :name, :alt, :key, :slug, :sent_sha256, :media_type, :width, :height, :bytes, :is_private, :now)
on conflict (tenant_id, sent_sha256, is_private) do nothing returning asset_id

-- asset_sent --
-- The picture that was made of a file, when the same file was sent before.
-- index: asset_sent_idx   rows: <= 1
-- with: sent_sha256 = (select sent_sha256 from asset limit 1), is_private = false
select asset_id from asset where sent_sha256 = :sent_sha256 and is_private = :is_private

-- asset_get --
-- One picture.
-- index: asset_pkey   rows: <= 1
-- with: asset_id = (select asset_id from asset order by asset_id desc limit 1)
select asset_id, name, alt, key, slug, media_type, width, height, bytes, variants_bytes, is_private, ready_at, created_at
from asset where asset_id = :asset_id

-- asset_some --
-- The pictures a page asks for by their ids; a private one is shown on none.
-- index: asset_pkey   rows: <= 500
-- with: asset_ids = array(select asset_id from asset order by asset_id desc limit 3)
select a.asset_id, a.name, a.alt, a.key, a.slug, a.width, a.height, a.is_private
from unnest(:asset_ids::uuid[]) as wanted (asset_id) join asset a on a.asset_id = wanted.asset_id and not a.is_private

-- asset_list --
-- Pictures, the newest first; the list screen and the API both use it.
-- index: asset_created_idx   rows: <= 25
-- with: created_at = 'infinity'::timestamptz, asset_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select asset_id, name, alt, key, slug, media_type, width, height, bytes, variants_bytes, is_private, ready_at, created_at from asset
where (created_at, asset_id) < (:created_at, :asset_id) order by created_at desc, asset_id desc limit 25

-- asset_stored --
-- How many pictures there are and how much room they take, with all their forms.
-- index: asset_stored_idx   rows: <= 1
select count(*) as pictures, coalesce(sum(bytes + variants_bytes), 0)::bigint as bytes from asset

-- asset_edit --
-- Call a picture something else, or say in other words what it shows.
-- index: asset_pkey   rows: <= 1
-- with: asset_id = (select asset_id from asset limit 1), name = 'Sample', alt = 'A sample'
update asset set name = :name, alt = :alt where asset_id = :asset_id returning asset_id

-- asset_ready --
-- Every form of a picture is in the file store.
-- index: asset_pkey   rows: <= 0   role: worker
-- with: asset_id = (select asset_id from asset limit 1), variants_bytes = 1000::bigint, now = now()
update asset set variants_bytes = :variants_bytes, ready_at = coalesce(ready_at, :now) where asset_id = :asset_id

-- asset_delete --
-- Forget a picture. One that a page shows cannot be forgotten: its foreign key says so.
-- index: asset_pkey   rows: <= 1
-- with: asset_id = (select a.asset_id from asset a where not exists (select from asset_use u where u.asset_id = a.asset_id) limit 1)
delete from asset where asset_id = :asset_id returning key, slug, width, is_private

-- asset_uses --
-- The pages that show a picture.
-- index: asset_use_asset_idx, page_pkey, page_version_pkey   rows: <= 50
-- with: asset_id = (select asset_id from asset_use limit 1)
select p.page_id, p.path, p.status, v.title
from asset_use u join page p on p.tenant_id = u.tenant_id and p.page_id = u.page_id
join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version
where u.asset_id = :asset_id order by p.page_id limit 50

-- asset_use_add --
-- A page shows these pictures.
-- index: asset_key_idx   rows: <= 0
-- with: page_id = (select page_id from page limit 1), keys = array(select key from asset limit 2)
insert into asset_use (page_id, asset_id) select :page_id, asset_id from asset where key = any(:keys::text[])
on conflict do nothing

-- asset_use_only --
-- A page shows these pictures to visitors, and no version of it that counts shows another.
-- index: asset_use_pkey   rows: <= 0
-- with: page_id = (select page_id from asset_use limit 1), keys = array(select key from asset limit 2)
with kept as (
  select u.page_id, u.asset_id, a.key = any(:keys::text[]) as is_kept
  from asset_use u join asset a on a.tenant_id = u.tenant_id and a.asset_id = u.asset_id where u.page_id = :page_id
), gone as (
  delete from asset_use u using kept k where u.page_id = k.page_id and u.asset_id = k.asset_id and not k.is_kept
)
update asset_use u set is_shown = true from kept k
where u.page_id = k.page_id and u.asset_id = k.asset_id and k.is_kept and not u.is_shown

-- site_look --
-- Let the site look so, and be crawled by these.
-- index: site_pkey   rows: <= 0
-- with: site_id = (select site_id from site limit 1), theme = 'letter', accent = 'plum', crawlers = 'open'
update site set theme = :theme, accent = :accent, crawlers = :crawlers where site_id = :site_id

-- site_said --
-- Who may crawl the site, and its language: what is remembered with its hosts.
-- index: site_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1)
select crawlers, locale from site where site_id = :site_id

-- card_page --
-- What stands on the card of a page that visitors see.
-- index: page_pkey, page_version_pkey, site_pkey   rows: <= 1
-- with: page_id = (select page_id from page where status = 'published' order by page_id desc limit 1)
select p.page_id, v.title, s.title as site_title, s.accent
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
join site s on s.tenant_id = p.tenant_id and s.site_id = p.site_id
where p.page_id = :page_id and p.status = 'published'

-- feed_pages --
-- What was published last, but for the home page, which is no news.
-- index: page_feed_idx, page_version_pkey, site_pkey   rows: <= 20
-- with: site_id = (select site_id from site limit 1)
select p.page_id, p.site_id, p.path, p.published_at, p.content_changed_at, v.title, v.description, v.intro_html,
  s.title as site_title, s.tagline
from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
join site s on s.tenant_id = p.tenant_id and s.site_id = p.site_id
where p.site_id = :site_id and p.status = 'published' and p.path <> '/'
order by p.published_at desc, p.page_id desc limit 20

-- render_get --
-- What a job rendered under this address of the site.
-- index: page_render_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1), path = '/sitemap.xml', origin = (select origin from page_render limit 1)
select epoch, media_type, etag, body, gzipped from page_render where site_id = :site_id and path = :path and origin = :origin

-- render_states --
-- What is rendered of the site already, and which state of it.
-- index: page_render_pkey   rows: <= 1001   role: worker
-- with: site_id = (select site_id from site limit 1)
select path, epoch, origin, etag from page_render where site_id = :site_id order by path limit 1001

-- render_put --
-- Keep what was rendered, unless something newer is there.
-- index: none (insert)   rows: <= 0   role: worker
-- with: site_id = (select site_id from site limit 1), path = '/sample.xml', epoch = 1::bigint, origin = '', media_type = 'text/html', etag = '""', body = '\x00'::bytea, gzipped = '\x00'::bytea, now = now()
insert into page_render (site_id, path, epoch, origin, media_type, etag, body, gzipped, rendered_at)
values (:site_id, :path, :epoch, :origin, :media_type, :etag, :body, :gzipped, :now)
on conflict (tenant_id, site_id, path) do update
set epoch = excluded.epoch, origin = excluded.origin, media_type = excluded.media_type, etag = excluded.etag,
  body = excluded.body, gzipped = excluded.gzipped, rendered_at = excluded.rendered_at
where page_render.epoch <= excluded.epoch

-- announce --
-- Tell every web process, at commit, that something of a site changed.
-- index: none (a notification)   rows: <= 1
-- with: payload = 'sample'
select pg_notify('site_changed', :payload)

-- version_list --
-- A page's versions below a number, the newest first.
-- index: page_version_pkey   rows: <= 51
-- with: page_id = (select page_id from page order by page_id desc limit 1), below = 2147483647
select version, title, author_name, is_autosave, created_at from page_version
where page_id = :page_id and version < :below order by version desc limit 51

-- version_get --
-- What one version of a page says.
-- index: page_version_pkey   rows: <= 1
-- with: page_id = (select page_id from page order by page_id desc limit 1), version = 1
select version, title, description, body, blocks, top_html, intro_html, body_html, json_ld, in_menu, author_name, is_autosave, created_at
from page_version where page_id = :page_id and version = :version

-- version_before --
-- The version that stood before another one; saves of the editor leave gaps in the numbers.
-- index: page_version_pkey   rows: <= 1
-- with: page_id = (select page_id from page order by page_id desc limit 1), version = 2
select version, title, description, body, blocks, in_menu, author_name, is_autosave, created_at from page_version
where page_id = :page_id and version < :version order by version desc limit 1

-- paths_there --
-- Which of these addresses have a page, or lead to one or elsewhere, and whether visitors see it. Each address by
-- itself, as in page_settle.
-- index: page_path_idx, redirect_path_idx   rows: <= 1000
-- with: site_id = (select site_id from site limit 1), paths = array['/', '/contact', '/volume/page-1', '/old-1']
select p.path, p.status from unnest(:paths::text[]) as u (path) cross join lateral (
  select path, status from page where site_id = :site_id and path = u.path and status <> 'deleted' limit 1
) as p
union all
select r.from_path, coalesce(t.status, 'published') from redirect r
left join page t on t.tenant_id = r.tenant_id and t.page_id = r.to_page_id
where r.site_id = :site_id and r.from_path = any(:paths::text[]) and r.status <> 410

-- page_plan --
-- From when to when visitors are to see which version; the number of the plan makes jobs of earlier plans do nothing.
-- index: page_pkey   rows: <= 1
-- with: page_id = (select page_id from page order by page_id desc limit 1), publish_at = null::timestamptz, publish_version = null::int, unpublish_at = null::timestamptz
update page set publish_at = :publish_at, publish_version = :publish_version, unpublish_at = :unpublish_at, schedule = schedule + 1
where page_id = :page_id returning schedule

-- page_plan_done --
-- A part of a plan was carried out. Its number stays: jobs that wait for the rest are still right.
-- index: page_pkey   rows: <= 0   role: worker
-- with: page_id = (select page_id from page order by page_id desc limit 1), unpublish_at = null::timestamptz
update page set publish_at = null, publish_version = null, unpublish_at = :unpublish_at where page_id = :page_id

-- version_thin --
-- Of the editor's own saves that are old enough, leave those that nobody followed within ten minutes; never what visitors
-- see or are to see. A thousand versions back there is nothing left to thin.
-- index: page_pkey, page_version_pkey   rows: <= 0
-- with: page_id = (select page_id from page order by page_id desc limit 1), newest = 3, before = now() - interval '10 minutes'
delete from page_version v using page p
where p.page_id = :page_id and v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.is_autosave
  and v.version < :newest::int and v.version > :newest::int - 1000 and v.created_at < :before
  and v.version is distinct from p.published_version and v.version is distinct from p.publish_version
  and exists (
    select from page_version later
    where later.tenant_id = p.tenant_id and later.page_id = p.page_id and later.version > v.version
      and later.version <= :newest::int and later.is_autosave and later.author_id is not distinct from v.author_id
      and later.created_at < v.created_at + interval '10 minutes'
  )

-- import_create --
-- A file of a website that is to be looked through; no row where the same file is here already.
-- index: none (insert)   rows: <= 1
-- with: import_id = gen_random_uuid(), site_id = (select site_id from site limit 1), file_name = 'sample.xml', file_sha256 = sha256(gen_random_uuid()::text::bytea), file_bytes = 1000::bigint, author_name = 'Sample', now = now()
insert into site_import (import_id, site_id, file_name, file_sha256, file_bytes, status, author_name, created_at, changed_at)
values (:import_id, :site_id, :file_name, :file_sha256, :file_bytes, 'reading', :author_name, :now, :now)
on conflict (tenant_id, file_sha256) where status not in ('refused', 'undone') do nothing returning import_id

-- import_same --
-- The import of a file that was sent before and is not taken out again.
-- index: site_import_file_idx   rows: <= 1
-- with: file_sha256 = (select file_sha256 from site_import limit 1)
select import_id from site_import where file_sha256 = :file_sha256 and status not in ('refused', 'undone')

-- import_get --
-- One import, and how far it is.
-- index: site_import_pkey   rows: <= 1
-- with: import_id = (select import_id from site_import limit 1)
select import_id, site_id, kind, file_name, file_bytes, origin, status, refusal, step, done, total, author_name, created_at, changed_at
from site_import where import_id = :import_id

-- import_lock --
-- Hold an import while one of its jobs, or a person, carries it on.
-- index: site_import_pkey   rows: <= 1
-- with: import_id = (select import_id from site_import limit 1)
select import_id, site_id, kind, file_name, file_bytes, origin, status, refusal, step, done, total, author_name, created_at, changed_at
from site_import where import_id = :import_id for update

-- import_list --
-- Imports, the newest first, from behind one of them on.
-- index: site_import_created_idx   rows: <= 26
-- with: created_at = 'infinity'::timestamptz, import_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
select import_id, kind, file_name, file_bytes, origin, status, done, total, author_name, created_at, changed_at from site_import
where (created_at, import_id) < (:created_at, :import_id) order by created_at desc, import_id desc limit 26

-- import_progress --
-- How far a job is, said while its own transaction runs.
-- index: site_import_pkey   rows: <= 0   role: worker
-- with: import_id = (select import_id from site_import limit 1), done = 1
update site_import set done = :done, total = greatest(total, :done) where import_id = :import_id

-- import_known --
-- What a file turned out to be: read whole, or refused with the reason.
-- index: site_import_pkey   rows: <= 0
-- with: import_id = (select import_id from site_import limit 1), kind = 'wordpress', origin = 'https://sample.example', status = 'read', refusal = null::jsonb, total = 1, now = now()
update site_import set kind = :kind, origin = :origin, status = :status, refusal = :refusal, done = :total, total = :total, changed_at = :now
where import_id = :import_id

-- import_turn --
-- Carry an import on: its next state, and the number of the job that does it.
-- index: site_import_pkey   rows: <= 1
-- with: import_id = (select import_id from site_import limit 1), status = 'taking', done = 0, total = 1, now = now()
update site_import set status = :status, done = :done, total = :total, step = step + 1, changed_at = :now
where import_id = :import_id returning step

-- import_delete --
-- Forget an import of which nothing was taken in.
-- index: site_import_pkey   rows: <= 1
-- with: import_id = (select import_id from site_import limit 1)
delete from site_import where import_id = :import_id and status in ('read', 'refused', 'undone') returning import_id

-- import_counts --
-- How many things of each kind an import has, by what became of them.
-- index: site_import_item_turn_idx   rows: <= 100
-- with: import_id = (select import_id from site_import limit 1)
select kind, label, outcome, status, count(*)::int as items from site_import_item where import_id = :import_id
group by kind, label, outcome, status order by kind, label, outcome, status limit 100

-- import_items --
-- The things of an import in the order of its file, those of one outcome where one is named.
-- index: site_import_item_pkey   rows: <= 51
-- with: import_id = (select import_id from site_import limit 1), after = 0, outcome = ''
select item, kind, label, source, title, path, from_path, status, publish_at, outcome, reason, notes, made_id from site_import_item
where import_id = :import_id and item > :after and (:outcome = '' or outcome = :outcome) order by item limit 51

-- import_add --
-- One thing of a file, and what would become of it.
-- index: none (insert)   rows: <= 0   role: worker
-- with: import_id = (select import_id from site_import limit 1), item = 1000000, turn = 2, kind = 'page', source = 'sample', to_source = '', label = 'post', title = 'Sample', path = '/sample', from_path = '/sample', status = 'draft', publish_at = null::timestamptz, outcome = 'new', reason = '', notes = '[]'::jsonb, data = null::jsonb, made_id = null::uuid
insert into site_import_item (import_id, item, turn, kind, source, to_source, label, title, path, from_path, status, publish_at, outcome, reason, notes, data, made_id)
values (:import_id, :item, :turn, :kind, :source, :to_source, :label, :title, :path, :from_path, :status, :publish_at, :outcome, :reason, :notes, :data, :made_id)
on conflict do nothing

-- import_sources --
-- Which of these things were taken in before, by whichever file, and what was made of them.
-- index: site_import_item_made_idx   rows: <= 1000   role: worker
-- with: sources = array['sample']
select source, made_id, path from site_import_item where source = any(:sources::text[]) and outcome = 'done' and kind <> 'settings'

-- import_clear --
-- A file that is refused half-way leaves nothing behind.
-- index: site_import_item_turn_idx   rows: <= 0   role: worker
-- with: import_id = (select import_id from site_import limit 1)
delete from site_import_item where import_id = :import_id

-- import_orphans --
-- Old addresses whose page is not among what comes, or is shown there itself, are left out.
-- index: site_import_item_turn_idx   rows: <= 0   role: worker
-- with: import_id = (select import_id from site_import limit 1)
update site_import_item r set outcome = 'skipped',
  reason = case when exists (
    select from site_import_item p where p.tenant_id = r.tenant_id and p.import_id = r.import_id and p.kind = 'page'
      and r.path in (p.from_path, p.path) and p.outcome in ('new', 'known')) then 'address_page' else 'no_target' end
where r.import_id = :import_id and r.kind = 'redirect' and r.outcome = 'new' and r.to_source <> '' and (
  not exists (
    select from site_import_item p where p.tenant_id = r.tenant_id and p.import_id = r.import_id and p.kind = 'page'
      and p.source = r.to_source and p.outcome in ('new', 'known'))
  or exists (
    select from site_import_item p where p.tenant_id = r.tenant_id and p.import_id = r.import_id and p.kind = 'page'
      and r.path in (p.from_path, p.path) and p.outcome in ('new', 'known')))

-- import_next --
-- What is to be taken in next: pictures, pages, redirects, each in the order of the file.
-- index: site_import_item_turn_idx   rows: <= 50   role: worker
-- with: import_id = (select import_id from site_import limit 1)
select item, kind, source, to_source, title, path, from_path, status, publish_at, notes, data, made_id from site_import_item
where import_id = :import_id and outcome = 'new' order by turn, item limit 50

-- import_targets --
-- What addresses and ids in a page's text mean: pages and pictures that come along, or came before.
-- index: site_import_item_from_idx, site_import_item_source_idx   rows: <= 20000   role: worker
-- with: import_id = (select import_id from site_import limit 1), paths = array['/sample'], sources = array['sample']
select i.kind, i.source, i.from_path, i.path, i.made_id from unnest(:paths::text[]) as u (path) cross join lateral (
  select kind, source, from_path, path, made_id from site_import_item
  where import_id = :import_id and from_path = u.path and kind in ('page', 'picture') and outcome in ('new', 'done', 'known') limit 1
) as i
union
select i.kind, i.source, i.from_path, i.path, i.made_id from unnest(:sources::text[]) as u (source) cross join lateral (
  select kind, source, from_path, path, made_id from site_import_item
  where source = u.source and import_id = :import_id and kind in ('page', 'picture') and outcome in ('new', 'done', 'known') limit 1
) as i

-- import_item_done --
-- A thing was taken in, left out, taken out again, or left where it is.
-- index: site_import_item_pkey   rows: <= 0   role: worker
-- with: import_id = (select import_id from site_import limit 1), item = 1, outcome = 'done', reason = '', notes = '[]'::jsonb, before = null::jsonb, made_id = null::uuid, made_version = 1, path = '/sample'
update site_import_item set outcome = :outcome, path = :path, reason = :reason, notes = :notes, before = :before, made_id = :made_id, made_version = :made_version, data = null
where import_id = :import_id and item = :item

-- import_last --
-- What is to be taken out next: the last thing first.
-- index: site_import_item_turn_idx   rows: <= 50   role: worker
-- with: import_id = (select import_id from site_import limit 1)
select item, kind, source, title, path, notes, before, made_id, made_version from site_import_item
where import_id = :import_id and outcome = 'done' order by turn desc, item desc limit 50

-- page_imported --
-- The days a page had where it came from: when it was first shown, and last changed.
-- index: page_pkey   rows: <= 0   role: worker
-- with: page_id = (select page_id from page limit 1), at = now()
update page set published_at = :at, content_changed_at = :at where page_id = :page_id and status = 'published'

-- page_undo --
-- Hold a page that is to be taken out again: is it as it was taken in?
-- index: page_pkey, menu_item_page_idx   rows: <= 1   role: worker
-- with: page_id = (select page_id from page limit 1)
select page_id, path, version, status,
  exists (select from menu_item i where i.tenant_id = p.tenant_id and i.page_id = p.page_id) as in_made_menu
from page p where page_id = :page_id for update

-- page_redirects_remove --
-- Nothing leads any longer to a page that goes for good.
-- index: redirect_page_idx   rows: <= 0   role: worker
-- with: page_id = (select page_id from page limit 1)
delete from redirect where to_page_id = :page_id

-- page_versions_remove --
-- What a page said, when it goes for good.
-- index: page_version_pkey   rows: <= 0   role: worker
-- with: page_id = (select page_id from page limit 1)
delete from page_version where page_id = :page_id

-- page_remove --
-- A page goes for good; what stood below it hangs where it hung already.
-- index: page_pkey   rows: <= 0   role: worker
-- with: page_id = gen_random_uuid()
delete from page where page_id = :page_id

-- export_get --
-- The last archive of a site, and how far it is.
-- index: site_export_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1)
select export_id, status, done, bytes, asked_at, made_at from site_export where site_id = :site_id

-- export_start --
-- An archive is to be made; the row names the one before it.
-- index: site_export_pkey   rows: <= 1
-- with: site_id = (select site_id from site limit 1), export_id = gen_random_uuid(), now = now()
with before as (select export_id from site_export where site_id = :site_id for update)
insert into site_export (site_id, export_id, status, asked_at) values (:site_id, :export_id, 'making', :now)
on conflict (tenant_id, site_id) do update set export_id = excluded.export_id, status = 'making', done = 0, bytes = 0, asked_at = excluded.asked_at, made_at = null
returning (select export_id from before) as old_id

-- export_progress --
-- How far an archive is, said while it is made.
-- index: site_export_pkey   rows: <= 0   role: worker
-- with: site_id = (select site_id from site limit 1), export_id = gen_random_uuid(), done = 1
update site_export set done = :done where site_id = :site_id and export_id = :export_id and status = 'making'

-- export_made --
-- An archive is in the file store.
-- index: site_export_pkey   rows: <= 1   role: worker
-- with: site_id = (select site_id from site limit 1), export_id = gen_random_uuid(), done = 1, bytes = 1000::bigint, now = now()
update site_export set status = 'made', done = :done, bytes = :bytes, made_at = :now
where site_id = :site_id and export_id = :export_id and status = 'making' returning export_id

-- export_pages --
-- A site's pages in the order of their addresses, some at a time, for an archive.
-- index: page_path_idx   rows: <= 50   role: worker
-- with: site_id = (select site_id from site limit 1), after = '/volume/page-9'
select page_id, path, status, version, published_version, position, published_at, content_changed_at, created_at, updated_at,
  publish_at, publish_version, unpublish_at
from page where site_id = :site_id and status <> 'deleted' and path > :after order by path limit 50

-- export_versions --
-- What a page said, the newest first, and what visitors see or are to see of it.
-- index: page_version_pkey   rows: <= 22   role: worker
-- with: page_id = (select page_id from page limit 1), seen = array[1]
(select version, title, description, body, blocks, in_menu, author_name, is_autosave, created_at from page_version
 where page_id = :page_id order by version desc limit 20)
union
select version, title, description, body, blocks, in_menu, author_name, is_autosave, created_at from page_version
where page_id = :page_id and version = any(:seen::int[])
order by version desc

-- export_assets --
-- The tenant's pictures in the order of their keys, some at a time, for an archive.
-- index: asset_key_idx   rows: <= 200   role: worker
-- with: after = 'f'
select asset_id, name, alt, key, slug, sent_sha256, media_type, width, height, is_private, created_at from asset
where key > :after order by key limit 200

-- asset_restore --
-- A picture that was kept elsewhere comes back under its own id and addresses; no row where it is here.
-- index: none (insert)   rows: <= 1
-- with: asset_id = gen_random_uuid(), name = 'Sample', alt = '', key = left(md5(random()::text), 16), slug = 'sample', sent_sha256 = sha256(gen_random_uuid()::text::bytea), media_type = 'image/jpeg', width = 640, height = 480, bytes = 1000::bigint, is_private = false, now = now()
insert into asset (asset_id, name, alt, key, slug, sent_sha256, media_type, width, height, bytes, is_private, created_at)
values (:asset_id, :name, :alt, :key, :slug, :sent_sha256, :media_type, :width, :height, :bytes, :is_private, :now)
on conflict do nothing returning asset_id

-- page_restored --
-- A page that was kept elsewhere has its days, its place and its newest version again.
-- index: page_pkey   rows: <= 0   role: worker
-- with: page_id = (select page_id from page limit 1), version = 1, position = 1000000, created_at = now(), updated_at = now(), published_at = null::timestamptz, content_changed_at = null::timestamptz
update page set version = :version, position = :position, created_at = :created_at, updated_at = :updated_at,
  published_at = :published_at, content_changed_at = coalesce(:content_changed_at, content_changed_at)
where page_id = :page_id

-- site_restored --
-- A site is called and looks as it did elsewhere.
-- index: site_pkey   rows: <= 0   role: worker
-- with: site_id = (select site_id from site limit 1), title = 'Sample', tagline = '', theme = 'harbour', accent = 'ocean', crawlers = 'open'
-- with: locale = null::text
update site set title = :title, tagline = :tagline, theme = :theme, accent = :accent, crawlers = :crawlers, locale = :locale
where site_id = :site_id

-- visits_add --
-- Add what one process counted to what is there; a page that is not published is not counted.
-- index: page_path_idx   rows: <= 0
-- with: site_id = (select site_id from site limit 1), days = array[current_date], kinds = array['view'], paths = array['/volume/page-1']
-- with: names = array[''], counts = array[1::bigint]
insert into visit_count (site_id, day, kind, path, name, count)
select :site_id::uuid, t.day, t.kind, t.path, t.name, t.count
from unnest(:days::date[], :kinds::text[], :paths::text[], :names::text[], :counts::bigint[]) as t (day, kind, path, name, count)
cross join lateral (
  select from page p where p.site_id = :site_id::uuid and p.path = t.path and p.status = 'published' limit 1) as shown
on conflict (tenant_id, site_id, day, kind, path, name) do update set count = visit_count.count + excluded.count

-- visits_by_day --
-- How many pages were read each day, from a day on.
-- index: visit_count_pkey   rows: <= 181
-- with: site_id = (select site_id from site limit 1), since = current_date - 60
select day, sum(count)::bigint as views from visit_count
where site_id = :site_id and day >= :since and kind = 'view' group by day order by day

-- visits_by_page --
-- Which pages were read most, from a day on.
-- index: visit_count_pkey   rows: <= 20
-- with: site_id = (select site_id from site limit 1), since = current_date - 30
select path, sum(count)::bigint as views from visit_count
where site_id = :site_id and day >= :since and kind = 'view' group by path order by views desc, path limit 20

-- visits_referrers --
-- Which sites led here most, from a day on.
-- index: visit_count_pkey   rows: <= 20
-- with: site_id = (select site_id from site limit 1), since = current_date - 30
select name, sum(count)::bigint as views from visit_count
where site_id = :site_id and day >= :since and kind = 'referrer' group by name order by views desc, name limit 20

-- visits_vitals --
-- How pages felt, by span, from a day on.
-- index: visit_count_pkey   rows: <= 50
-- with: site_id = (select site_id from site limit 1), since = current_date - 30
select kind, name, sum(count)::bigint as views from visit_count
where site_id = :site_id and day >= :since and kind in ('lcp', 'inp', 'cls') group by kind, name

-- visits_vitals_of_pages --
-- How quickly some pages showed their largest content, by span, from a day on.
-- index: visit_count_pkey   rows: <= 400
-- with: site_id = (select site_id from site limit 1), since = current_date - 30, paths = array['/volume/page-1']
select kind, path, name, sum(count)::bigint as views from visit_count
where site_id = :site_id and day >= :since and kind = 'lcp' and path = any(:paths::text[]) group by kind, path, name

-- published_form --
-- A form that stands on a published page: what it asks for.
-- index: page_pkey, page_version_pkey   rows: <= 1
-- with: page_id = (select page_id from page where status = 'published' limit 1), block_id = 'none'
select v.title, block
from page p
join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.published_version
cross join lateral jsonb_array_elements(coalesce(v.blocks, '[]')) as block
where p.page_id = :page_id and p.status = 'published' and block ->> 'id' = :block_id and block ->> 'type' = 'form'

-- message_keep --
-- Keep what a visitor sent; no row when it is there already.
-- index: none (insert)   rows: <= 1
-- with: message_id = gen_random_uuid(), site_id = (select site_id from site limit 1), page_id = (select page_id from page limit 1), page_title = 'Sample'
-- with: sender_name = 'Sample', sender_email = 's@example.com', sender_phone = '', message_text = 'Sample', notify = '', now = now()
insert into message (message_id, site_id, page_id, page_title, sender_name, sender_email, sender_phone, message_text, notify, received_at)
values (:message_id, :site_id, :page_id, :page_title, :sender_name, :sender_email, :sender_phone, :message_text, :notify, :now)
on conflict do nothing returning message_id

-- message_list --
-- Messages, newest first, from behind one of them on.
-- index: message_received_idx   rows: <= 26
-- with: site_id = (select site_id from site limit 1), before = null::uuid
select message_id, page_title, sender_name, sender_email, sender_phone, message_text, received_at from message
where site_id = :site_id and (received_at, message_id) < (
  coalesce((select m.received_at from message m where m.message_id = :before), 'infinity'::timestamptz),
  coalesce(:before::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
order by received_at desc, message_id desc limit 26

-- message_get --
-- One message.
-- index: message_pkey   rows: <= 1
-- with: message_id = (select message_id from message limit 1)
select message_id, site_id, page_id, page_title, sender_name, sender_email, sender_phone, message_text, received_at from message
where message_id = :message_id

-- message_export --
-- A site's messages to be given away, newest first.
-- index: message_received_idx   rows: <= 10000
-- with: site_id = (select site_id from site limit 1)
select page_title, sender_name, sender_email, sender_phone, message_text, received_at from message
where site_id = :site_id order by received_at desc, message_id desc limit 10000

-- message_delete --
-- Delete a message for good.
-- index: message_pkey   rows: <= 1
-- with: message_id = (select message_id from message limit 1)
delete from message where message_id = :message_id returning message_id

-- message_to_mail --
-- A message that its site's owner is to hear of.
-- index: message_pkey   rows: <= 1   role: worker
-- with: message_id = (select message_id from message limit 1)
select message_id, page_title, sender_name, sender_email, sender_phone, message_text, notify from message
where message_id = :message_id and notify <> '' and mailed_at is null

-- message_mailed --
-- Note that the mail about it went out.
-- index: message_pkey   rows: <= 0   role: worker
-- with: message_id = (select message_id from message limit 1), now = now()
update message set mailed_at = :now where message_id = :message_id
