drop table login_bucket;
drop table auth_mail;
drop table one_time_token;
drop table device;
drop table membership;
drop table credential;
drop table app_user;
