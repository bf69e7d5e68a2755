-- An older release knows the first site of a tenant; the others stay, and their hosts answer as before.
drop index message_received_idx;
create index message_received_idx on message (tenant_id, received_at desc, message_id desc);
drop index page_bin_idx;
create index page_bin_idx on page (tenant_id, deleted_at desc, page_id desc) where status = 'deleted';
drop index page_updated_idx;
create index page_updated_idx on page (tenant_id, updated_at desc, page_id desc) where status <> 'deleted';
alter table site drop column locale;
