-- Pictures: what is known of them. Their bytes are in the file store, under a key that names one upload.
create table asset (
  tenant_id uuid not null default my_tenant(),
  asset_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  alt text not null default '' check (length(alt) <= 300),
  key text not null check (key ~ '^[0-9a-f]{16}$'),
  slug text not null check (slug ~ '^[a-z0-9-]{1,60}$'),
  sent_sha256 bytea not null,
  media_type text not null check (media_type in ('image/jpeg', 'image/png', 'image/webp')),
  width int not null check (width between 1 and 2560),
  height int not null check (height between 1 and 2560),
  bytes bigint not null check (bytes > 0),
  variants_bytes bigint not null default 0 check (variants_bytes >= 0),
  ready_at timestamptz,
  created_at timestamptz not null,
  primary key (tenant_id, asset_id),
  check ((ready_at is null) = (variants_bytes = 0))
);
-- The same file sent twice is one picture.
create unique index asset_sent_idx on asset (tenant_id, sent_sha256);
create unique index asset_key_idx on asset (tenant_id, key);
create index asset_created_idx on asset (tenant_id, created_at desc, asset_id desc);
create index asset_stored_idx on asset (tenant_id) include (bytes, variants_bytes);
select protect('asset', 'tenant');

-- Which page shows which picture, in the version visitors see (is_shown) or in a newer one. What a page shows cannot
-- be deleted.
create table asset_use (
  tenant_id uuid not null default my_tenant(),
  page_id uuid not null,
  asset_id uuid not null,
  is_shown boolean not null default false,
  primary key (tenant_id, page_id, asset_id),
  foreign key (tenant_id, page_id) references page on delete cascade,
  foreign key (tenant_id, asset_id) references asset
);
create index asset_use_asset_idx on asset_use (tenant_id, asset_id, page_id);
create index asset_use_shown_idx on asset_use (tenant_id, page_id, asset_id) where is_shown;
select protect('asset_use', 'tenant');

-- The worker says that the forms are made, and publishes what was planned; everything else is done by people.
revoke insert, delete on asset from worker;
revoke insert on asset_use from worker;

-- How a site looks, and whom its robots.txt lets in.
alter table site
  add column theme text not null default 'harbour' check (theme in ('harbour', 'letter')),
  add column crawlers text not null default 'open' check (crawlers in ('open', 'search-only', 'closed'));

-- Feeds show what was published last.
create index page_feed_idx on page (tenant_id, site_id, published_at desc, page_id desc) where status = 'published';

-- A large site's sitemap is in parts, each a range of page ids that stays as it is.
create table sitemap_part (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  part int not null check (part >= 1),
  first_page_id uuid not null,
  primary key (tenant_id, site_id, part),
  foreign key (tenant_id, site_id) references site
);
create unique index sitemap_part_first_idx on sitemap_part (tenant_id, site_id, first_page_id);
select protect('sitemap_part', 'tenant');
revoke insert, update, delete on sitemap_part from app;
