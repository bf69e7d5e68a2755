-- Without the column a private picture would be public, so none stays; its file is in the store until somebody looks for it.
alter table asset no force row level security;
delete from asset where is_private;
alter table asset force row level security;
drop index asset_sent_idx;
alter table asset drop column is_private;
create unique index asset_sent_idx on asset (tenant_id, sent_sha256);
