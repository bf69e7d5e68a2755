-- How often pages were read, from where, and how quickly they stood: counts a day, of nobody in particular.
-- `kind` says what is counted and `name` which of it: the site referred from, or the upper end of a span of
-- milliseconds (cls: of thousandths). There is no row of a visit, no address and no browser.
create table visit_count (
  tenant_id uuid not null default my_tenant(),
  site_id uuid not null,
  day date not null,
  kind text not null check (kind in ('view', 'referrer', 'lcp', 'inp', 'cls')),
  path text not null check (length(path) <= 300),
  name text not null default '' check (length(name) <= 253),
  count bigint not null check (count > 0),
  primary key (tenant_id, site_id, day, kind, path, name),
  foreign key (tenant_id, site_id) references site
);
select protect('visit_count', 'tenant');
revoke insert, update, delete on visit_count from worker;
