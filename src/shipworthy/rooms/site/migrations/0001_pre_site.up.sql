-- Sites, their hosts, pages with immutable versions, and what was rendered of them.
create table site (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  title text not null check (length(title) between 1 and 200),
  tagline text not null default '',
  epoch bigint not null default 1,
  created_at timestamptz not null default now(),
  primary key (tenant_id, site_id)
);
select protect('site', 'tenant');

-- Whose site a host shows is asked before any tenant is known: by realm (D18).
create table site_domain (
  realm_id uuid not null default my_realm(),
  host text not null check (host = lower(host) and length(host) between 1 and 253),
  tenant_id uuid not null,
  site_id uuid not null,
  role text not null default 'primary' check (role in ('primary', 'alias')),
  primary key (realm_id, host)
);
create index site_domain_site_idx on site_domain (realm_id, tenant_id, site_id);
select protect('site_domain', 'realm');

create table page (
  tenant_id uuid not null default my_tenant(),
  page_id uuid not null,
  site_id uuid not null,
  path text not null check (path ~ '^/[^?#]*$' and length(path) <= 300),
  status text not null default 'draft' check (status in ('draft', 'published')),
  version int not null default 1,
  published_version int,
  published_at timestamptz,
  content_changed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, page_id),
  foreign key (tenant_id, site_id) references site,
  check ((status = 'published') = (published_version is not null))
);
create unique index page_path_idx on page (tenant_id, site_id, path);
create index page_updated_idx on page (tenant_id, updated_at desc, page_id desc);
create index page_published_idx on page (tenant_id, site_id, page_id) where status = 'published';
select protect('page', 'tenant');

create table page_version (
  tenant_id uuid not null default my_tenant(),
  page_id uuid not null,
  version int not null,
  title text not null check (length(title) between 1 and 200),
  description text not null default '' check (length(description) <= 400),
  body text not null check (length(body) <= 200000),
  author_id uuid,
  created_at timestamptz not null,
  primary key (tenant_id, page_id, version),
  foreign key (tenant_id, page_id) references page
);
select protect('page_version', 'tenant');
revoke update on page_version from app, worker;

-- What a visitor gets, ready to send. `revision` names theme and address: another one is a miss.
create table page_render (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  path text not null,
  revision text not null,
  media_type text not null,
  etag text not null,
  body bytea not null,
  gzipped bytea not null,
  rendered_at timestamptz not null,
  primary key (tenant_id, site_id, path)
);
select protect('page_render', 'tenant');
