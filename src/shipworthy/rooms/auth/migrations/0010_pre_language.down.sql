alter table one_time_token drop column language;
alter table app_user drop column language;
