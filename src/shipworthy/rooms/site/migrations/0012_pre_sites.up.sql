-- Several sites a tenant: each has a language of its own (none: the app's), and lists of its own.
alter table site add column locale text check (locale in ('en', 'de'));
drop index page_updated_idx;
create index page_updated_idx on page (tenant_id, site_id, updated_at desc, page_id desc) where status <> 'deleted';
drop index page_bin_idx;
create index page_bin_idx on page (tenant_id, site_id, deleted_at desc, page_id desc) where status = 'deleted';
drop index message_received_idx;
create index message_received_idx on message (tenant_id, site_id, received_at desc, message_id desc);
