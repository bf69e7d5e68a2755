-- Fills one tenant for plan checks: volume.rows / 2 pages below /volume with two versions each, nine of ten
-- published, none in the menu; and a site with its host for every tenant of the realm that has none. Runs as the
-- superuser, past row security.
insert into site (tenant_id, site_id, title, accent, created_at)
select tenant_id, md5(tenant_id::text || '/site')::uuid, 'Volume', 'pine', now() from tenant t
where realm_id = my_realm() and not exists (select from site s where s.tenant_id = t.tenant_id);

insert into site_domain (host, tenant_id, site_id)
select 'volume-' || tenant_id || '.localhost', tenant_id, site_id from site s
where not exists (select from site_domain d where d.tenant_id = s.tenant_id)
on conflict do nothing;

insert into page (page_id, site_id, path, status, version, published_version, published_at, content_changed_at,
  created_at, updated_at)
select md5(my_tenant()::text || '/page/' || n)::uuid, site_id, '/volume/page-' || n,
  case when n % 10 = 0 then 'draft' else 'published' end, 2, case when n % 10 = 0 then null else 2 end,
  case when n % 10 = 0 then null else now() - interval '1 year' end, now() - n * interval '1 hour',
  now() - interval '1 year', now() - interval '1 day' - n * interval '1 hour'
from site, generate_series(1, greatest(1, current_setting('volume.rows')::int / 2)) as n
where tenant_id = my_tenant();

insert into page_version (page_id, version, title, description, body, intro_html, body_html, in_menu, created_at)
select md5(my_tenant()::text || '/page/' || n)::uuid, version, 'Volume page ' || n, 'What page ' || n || ' is about.',
  'One sentence of an intro.' || E'\n\n' || '## Part' || E'\n\n' || repeat('A sentence that is there to be read. ', 12),
  '<p>One sentence of an intro.</p>', '<h2>Part</h2><p>' || repeat('A sentence that is there to be read. ', 12) || '</p>',
  false, now() - interval '1 year'
from generate_series(1, greatest(1, current_setting('volume.rows')::int / 2)) as n, generate_series(1, 2) as version;

insert into page_render (tenant_id, site_id, path, epoch, origin, media_type, etag, body, gzipped, rendered_at)
select tenant_id, site_id, '/sitemap.xml', 0, 'http://volume.example', 'application/xml', '"volume"', '', '', now()
from site
on conflict do nothing;

insert into asset (asset_id, name, alt, key, slug, sent_sha256, media_type, width, height, bytes, variants_bytes, ready_at, created_at)
select md5(my_tenant()::text || '/asset/' || n)::uuid, 'Volume ' || n, '', left(md5(my_tenant()::text || '/asset/' || n), 16), 'volume-' || n,
  sha256((my_tenant()::text || n)::bytea), 'image/jpeg', 1920, 1080, 400000, 900000, now(), now() - n * interval '1 hour'
from generate_series(1, greatest(1, current_setting('volume.rows')::int / 2)) as n;

insert into asset_use (is_shown, page_id, asset_id)
select n % 4 = 0, md5(my_tenant()::text || '/page/' || n)::uuid, md5(my_tenant()::text || '/asset/' || (n + shown))::uuid
from generate_series(1, greatest(1, current_setting('volume.rows')::int / 4)) as n, generate_series(0, 1) as shown
where n + shown <= greatest(1, current_setting('volume.rows')::int / 4);
insert into redirect (redirect_id, site_id, from_path, to_page_id, to_url, status, origin, created_at)
select gen_random_uuid(), site_id, '/old-' || n, case when n % 2 = 0 then md5(my_tenant()::text || '/page/' || n)::uuid end,
  case when n % 2 = 1 then 'https://volume.example/' || n end, 301, 'manual', now() - interval '1 year'
from site, generate_series(1, greatest(1, current_setting('volume.rows')::int / 2)) as n
where tenant_id = my_tenant();

update page set parent_id = a.page_id from (select page_id from page where tenant_id = my_tenant() order by page_id limit 1) as a
where page.tenant_id = my_tenant() and page.page_id <> a.page_id and page.path like '/volume/page-%1';

update page set status = 'deleted', bin_version = published_version, published_version = null, deleted_at = now()
where tenant_id = my_tenant() and status = 'published' and path like '/volume/page-%7';

-- Thirty days of visits of the first pages.
insert into visit_count (tenant_id, site_id, day, kind, path, name, count)
select tenant_id, site_id, current_date - day, kind, '/volume/page-' || n, case kind when 'view' then '' when 'referrer' then 'news.example' else '1000' end, n
from site, generate_series(0, 29) as day, generate_series(1, 20) as n, unnest(array['view', 'referrer', 'lcp', 'cls']) as kind
where tenant_id = my_tenant();

insert into message (tenant_id, message_id, site_id, page_id, page_title, sender_name, sender_email, sender_phone, message_text, notify, received_at)
select tenant_id, md5(my_tenant()::text || '/message/' || n)::uuid, site_id, md5(my_tenant()::text || '/page/1')::uuid, 'Volume page 1',
  'Visitor ' || n, 'visitor' || n || '@volume.example', '', 'A question.', 'office@volume.example', now() - interval '30 days' - n * interval '1 minute'
from site, generate_series(1, greatest(1, current_setting('volume.rows')::int / 2)) as n
where tenant_id = my_tenant();

-- What tenants say is theirs: two domains each, and as many as may be of the large one.
insert into domain_claim (tenant_id, claim_id, site_id, host, token, created_at)
select tenant_id, gen_random_uuid(), site_id, 'n' || n || '.volume-' || tenant_id || '.example', 'volume-of-twenty-characters', now() - interval '1 year'
from site, generate_series(1, case when tenant_id = my_tenant() then 40 else 2 end) as n
on conflict do nothing;
insert into site_import (import_id, site_id, kind, file_name, file_sha256, file_bytes, origin, status, done, total, created_at, changed_at)
select md5(my_tenant()::text || '/import/' || n)::uuid, site_id, 'wordpress', 'volume-' || n || '.xml', sha256((my_tenant()::text || n)::bytea), 1000,
  'https://volume.example', 'undone', 0, 0, now() - interval '1 year' - n * interval '1 hour', now() - interval '1 year'
from site, generate_series(1, greatest(1, current_setting('volume.rows')::int / 4)) as n
where tenant_id = my_tenant();

insert into site_import_item (import_id, item, turn, kind, source, label, title, path, from_path, status, outcome)
select md5(my_tenant()::text || '/import/1')::uuid, n, 2, 'page', 'volume#' || n, 'post', 'Volume ' || n, '/volume/import-' || n,
  '/volume/import-' || n, 'draft', 'undone'
from generate_series(1, greatest(1, current_setting('volume.rows')::int / 2)) as n;
