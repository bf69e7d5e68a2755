drop table asset_use;
drop table asset;
