-- Pictures that no page shows: they open with a signed address that expires. The same file may be both.
alter table asset add column is_private boolean not null default false;
drop index asset_sent_idx;
create unique index asset_sent_idx on asset (tenant_id, sent_sha256, is_private);
