drop table sitemap_part;
drop index page_feed_idx;
alter table site drop column crawlers, drop column theme;
drop table asset_use;
drop table asset;
