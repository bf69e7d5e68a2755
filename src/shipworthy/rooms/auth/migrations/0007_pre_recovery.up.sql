-- Losing and leaving an account. A person who leaves is kept until `leaves_at`, so that it can be taken back.
-- The owner is under row security, too. Where rows are moved or keys checked below, it is not, until the end of this file.
alter table app_user no force row level security;
alter table credential no force row level security;
alter table membership no force row level security;
alter table device no force row level security;
alter table one_time_token no force row level security;
alter table identity no force row level security;
alter table program no force row level security;
alter table app_user drop constraint app_user_status_check;
alter table app_user add constraint app_user_status_check check (status in ('active', 'disabled', 'leaving'));
alter table app_user add column leaves_at timestamptz;
alter table app_user add constraint app_user_leaves_check check ((status = 'leaving') = (leaves_at is not null));
grant update (leaves_at, email_raw, email_canon) on app_user to app;

-- What a mail is about is said where it is written (jobs.py); here only that it is a word.
alter table one_time_token drop constraint one_time_token_purpose_check;
alter table one_time_token add constraint one_time_token_purpose_check check (purpose ~ '^[a-z_]{1,40}$');
create index one_time_token_user_idx on one_time_token (realm_id, user_id) where user_id is not null;

-- Whoever is erased leaves nothing that hangs on them.
alter table credential drop constraint credential_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user on delete cascade;
alter table membership drop constraint membership_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user on delete cascade;
alter table device drop constraint device_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user on delete cascade;
alter table one_time_token drop constraint one_time_token_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user on delete cascade;
alter table identity drop constraint identity_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user on delete cascade;
alter table program drop constraint program_realm_id_user_id_fkey,
  add foreign key (realm_id, user_id) references app_user on delete cascade;

alter table app_user force row level security;
alter table credential force row level security;
alter table membership force row level security;
alter table device force row level security;
alter table one_time_token force row level security;
alter table identity force row level security;
alter table program force row level security;
