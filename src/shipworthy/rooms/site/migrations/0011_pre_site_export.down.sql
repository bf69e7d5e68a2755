drop table site_export;
