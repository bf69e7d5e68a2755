-- Whoever was leaving stays shut out: an older release knows no way to take it back.
-- The owner is under row security, too. Where rows are moved or keys checked below, it is not, until the end of this file.
alter table app_user no force row level security;
alter table credential no force row level security;
alter table membership no force row level security;
alter table device no force row level security;
alter table one_time_token no force row level security;
alter table identity no force row level security;
alter table program no force row level security;
update app_user set status = 'disabled', leaves_at = null where status = 'leaving';
alter table app_user drop constraint app_user_leaves_check;
alter table app_user drop constraint app_user_status_check;
alter table app_user add constraint app_user_status_check check (status in ('active', 'disabled'));
alter table app_user drop column leaves_at;
revoke update (email_raw, email_canon) on app_user from app;
drop index one_time_token_user_idx;
delete from one_time_token where purpose in ('reset', 'reset_unconfirmed', 'password_reset', 'address_change',
  'address_taken', 'address_changed', 'leaving');
alter table credential drop constraint credential_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user;
alter table membership drop constraint membership_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user;
alter table device drop constraint device_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user;
alter table one_time_token drop constraint one_time_token_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user;
alter table identity drop constraint identity_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user;
alter table program drop constraint program_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user;

alter table app_user force row level security;
alter table credential force row level security;
alter table membership force row level security;
alter table device force row level security;
alter table one_time_token force row level security;
alter table identity force row level security;
alter table program force row level security;
