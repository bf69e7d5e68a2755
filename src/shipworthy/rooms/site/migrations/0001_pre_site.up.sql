-- Sites, their hosts, pages with immutable versions, and what jobs rendered of them.
create table site (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  title text not null check (length(title) between 1 and 200),
  tagline text not null default '' check (length(tagline) <= 200),
  accent text not null check (accent in ('ocean', 'pine', 'brick', 'plum')),
  epoch bigint not null default 1,
  created_at timestamptz not null,
  primary key (tenant_id, site_id)
);
select protect('site', 'tenant');

-- Whose site a host shows is asked before any tenant is known: by realm (D18).
create table site_domain (
  realm_id uuid not null default my_realm(),
  host text not null check (host ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' and length(host) <= 253),
  tenant_id uuid not null,
  site_id uuid not null,
  role text not null default 'primary' check (role in ('primary', 'alias')),
  primary key (realm_id, host),
  foreign key (tenant_id, site_id) references site
);
-- One host is the site's own: it stands in every canonical address.
create unique index site_domain_primary_idx on site_domain (realm_id, tenant_id, site_id) where role = 'primary';
select protect('site_domain', 'realm');

-- What visitors see of a page stands in published_version, in_menu, content_sha256 and content_changed_at;
-- they change when it is published, not when it is edited.
create table page (
  tenant_id uuid not null default my_tenant(),
  page_id uuid not null,
  site_id uuid not null,
  path text not null check (path ~ '^/[^?#]*$' and length(path) <= 300),
  status text not null default 'draft' check (status in ('draft', 'published')),
  version int not null default 1,
  published_version int,
  in_menu boolean not null default false,
  published_at timestamptz,
  content_sha256 bytea,
  content_changed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, page_id),
  foreign key (tenant_id, site_id) references site,
  check ((status = 'published') = (published_version is not null)),
  check (published_version is null or content_changed_at is not null)
);
create unique index page_path_idx on page (tenant_id, site_id, path);
create index page_updated_idx on page (tenant_id, updated_at desc, page_id desc);
create index page_published_idx on page (tenant_id, site_id, page_id) where status = 'published';
create index page_menu_idx on page (tenant_id, site_id, page_id) where status = 'published' and in_menu;
select protect('page', 'tenant');

-- The HTML is made of the Markdown when it is saved: a visitor never waits for that.
create table page_version (
  tenant_id uuid not null default my_tenant(),
  page_id uuid not null,
  version int not null,
  title text not null check (length(title) between 1 and 200),
  description text not null default '' check (length(description) <= 400),
  body text not null check (length(body) <= 60000),
  intro_html text not null,
  body_html text not null,
  in_menu boolean not null default true,
  author_id uuid,
  created_at timestamptz not null,
  primary key (tenant_id, page_id, version),
  foreign key (tenant_id, page_id) references page
);
select protect('page_version', 'tenant');
revoke update on page_version from app, worker;

-- What jobs rendered, ready to send. `epoch` says which state of the site it shows, `origin` under which
-- address; an older one is never put in the place of a newer.
create table page_render (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  path text not null,
  epoch bigint not null,
  origin text not null,
  media_type text not null,
  etag text not null,
  body bytea not null,
  gzipped bytea not null,
  rendered_at timestamptz not null,
  primary key (tenant_id, site_id, path),
  foreign key (tenant_id, site_id) references site
);
select protect('page_render', 'tenant');

-- Who writes what: people edit through the app, jobs render as the worker.
revoke insert, update, delete on site, site_domain, page, page_version from worker;
revoke insert, update, delete on page_render from app;
