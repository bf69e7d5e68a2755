drop table page_render;
drop table page_version;
drop table page;
drop table site_domain;
drop table site;
