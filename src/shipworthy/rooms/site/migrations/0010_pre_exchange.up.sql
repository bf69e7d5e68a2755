-- Websites that come from elsewhere. A job reads the file and writes down what would become of each thing in it; when
-- somebody says so, other jobs take them in, some at a time, and can take them out again. `step` numbers these jobs: one of
-- an earlier step finds another number and does nothing.
create table site_import (
  tenant_id uuid not null default my_tenant(),
  import_id uuid not null,
  site_id uuid not null,
  kind text not null default '' check (kind in ('', 'wordpress', 'markdown', 'site')),
  file_name text not null check (length(file_name) between 1 and 200),
  file_sha256 bytea not null,
  file_bytes bigint not null check (file_bytes > 0),
  origin text not null default '' check (length(origin) <= 2000),
  status text not null check (status in ('reading', 'read', 'refused', 'taking', 'taken', 'undoing', 'undone')),
  refusal jsonb,
  step int not null default 0,
  done int not null default 0,
  total int not null default 0,
  author_name text not null default '',
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, import_id),
  foreign key (tenant_id, site_id) references site
);
create index site_import_created_idx on site_import (tenant_id, created_at desc, import_id desc);
-- The same file sent twice is one import, until it was taken out again.
create unique index site_import_file_idx on site_import (tenant_id, file_sha256) where status not in ('refused', 'undone');
select protect('site_import', 'tenant');

-- One thing of a file. `source` names it and the website it is from; `path` is the address it gets, `from_path` the one it
-- had. `data` is what it says, until it is taken in; `made_id` what was made of it, `before` what it took the place of.
create table site_import_item (
  tenant_id uuid not null default my_tenant(),
  import_id uuid not null,
  item int not null,
  turn int not null check (turn between 0 and 4),
  kind text not null check (kind in ('settings', 'picture', 'page', 'redirect', 'other')),
  source text not null check (length(source) <= 600),
  to_source text not null default '' check (length(to_source) <= 600),
  label text not null check (length(label) <= 40),
  title text not null check (length(title) <= 200),
  path text not null default '' check (length(path) <= 300),
  from_path text not null default '' check (length(from_path) <= 600),
  status text not null default '' check (status in ('', 'published', 'draft')),
  publish_at timestamptz,
  outcome text not null check (outcome in ('new', 'known', 'skipped', 'done', 'undone', 'kept')),
  reason text not null default '',
  notes jsonb not null default '[]',
  data jsonb,
  before jsonb,
  made_id uuid,
  made_version int,
  primary key (tenant_id, import_id, item),
  foreign key (tenant_id, import_id) references site_import on delete cascade
);
create index site_import_item_turn_idx on site_import_item (tenant_id, import_id, outcome, turn, item);
create index site_import_item_from_idx on site_import_item (tenant_id, import_id, from_path) where kind in ('page', 'picture');
create index site_import_item_source_idx on site_import_item (tenant_id, source, import_id);
-- What was taken in once is not taken in again, by whichever file it comes.
create unique index site_import_item_made_idx on site_import_item (tenant_id, source) where outcome = 'done' and kind <> 'settings';
select protect('site_import_item', 'tenant');

-- A website of ten thousand pages is taken in by jobs: nobody waits for it in front of a browser. What they write is what
-- the person wrote who pressed the button, whose name stands in it.
-- No job moves a page or changes a version.
grant insert, delete on page to worker;
grant update (parent_id, position, version, created_at, updated_at, schedule) on page to worker;
grant insert, delete on page_version to worker;
grant insert on redirect to worker;
grant update (to_page_id, to_url, status, origin, hits, last_hit_at, created_at) on redirect to worker;
grant insert, delete on asset to worker;
grant insert on asset_use to worker;
grant update (title, tagline, theme, accent, crawlers) on site to worker;
