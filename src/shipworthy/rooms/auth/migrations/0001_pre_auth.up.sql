-- People, their passwords, devices and memberships. All belong to the realm: a person is known before a
-- tenant is (D18). `membership` joins the two.
create table app_user (
  realm_id uuid not null default my_realm(),
  user_id uuid not null,
  email_raw text not null check (length(email_raw) between 3 and 254),
  email_canon text not null check (length(email_canon) between 3 and 254),
  name text not null check (length(name) between 1 and 100),
  status text not null default 'active' check (status in ('active', 'disabled')),
  verified_at timestamptz,
  created_at timestamptz not null,
  primary key (realm_id, user_id),
  unique (realm_id, email_canon)
);
select protect('app_user', 'realm');
revoke update on app_user from app, worker;
grant update (name, status) on app_user to app;

-- One password a person; other kinds (passkeys, codes) may be several.
create table credential (
  realm_id uuid not null default my_realm(),
  credential_id uuid not null,
  user_id uuid not null,
  kind text not null check (kind in ('password')),
  password_hash text not null,
  changed_at timestamptz not null,
  primary key (realm_id, credential_id),
  foreign key (realm_id, user_id) references app_user
);
create unique index credential_user_password_idx on credential (realm_id, user_id) where kind = 'password';
select protect('credential', 'realm');
revoke update on credential from app;
grant update (password_hash, changed_at) on credential to app;
revoke all on credential from worker, reader;

create table membership (
  realm_id uuid not null default my_realm(),
  tenant_id uuid not null,
  user_id uuid not null,
  role text not null check (role in ('owner', 'member', 'viewer')),
  created_at timestamptz not null,
  primary key (realm_id, tenant_id, user_id),
  foreign key (realm_id, tenant_id) references tenant,
  foreign key (realm_id, user_id) references app_user
);
create index membership_user_idx on membership (realm_id, user_id, created_at);
select protect('membership', 'realm');

-- A browser in which somebody has signed in: named on their account page, and trusted by the throttle.
create table device (
  realm_id uuid not null default my_realm(),
  device_id uuid not null,
  user_id uuid not null,
  cookie_sha256 bytea not null check (length(cookie_sha256) = 32),
  name text not null check (length(name) between 1 and 100),
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (realm_id, device_id),
  foreign key (realm_id, user_id) references app_user
) with (fillfactor = 70);
create unique index device_cookie_user_idx on device (realm_id, cookie_sha256, user_id);
create index device_user_idx on device (realm_id, user_id);
select protect('device', 'realm');
revoke update on device from app, worker;
grant update (name, last_seen_at) on device to app;
revoke all on device from worker, reader;

-- Mailed offers. The link's token follows from the installation's signing key and the id; only its hash is
-- here. `pending` is what a sign-up asked for; it becomes an account when the link and the password meet.
create table one_time_token (
  realm_id uuid not null default my_realm(),
  token_id uuid not null,
  token_sha256 bytea not null check (length(token_sha256) = 32),
  purpose text not null check (purpose in ('sign_up', 'account_exists', 'nothing')),
  user_id uuid,
  email_raw text not null,
  email_canon text not null,
  origin text not null,
  pending jsonb,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (realm_id, token_id),
  foreign key (realm_id, user_id) references app_user
);
create unique index one_time_token_hash_idx on one_time_token (realm_id, token_sha256);
create index one_time_token_email_idx on one_time_token (realm_id, email_canon, created_at);
create index one_time_token_expiry_idx on one_time_token (realm_id, expires_at);
select protect('one_time_token', 'realm');
revoke update on one_time_token from app, worker;
grant update (pending, used_at) on one_time_token to app;
revoke all on one_time_token from reader;

-- Which offers the worker has mailed: one row a mail, so that a job that runs twice mails once.
create table auth_mail (
  realm_id uuid not null default my_realm(),
  token_id uuid not null,
  sent_at timestamptz not null,
  primary key (realm_id, token_id)
);
select protect('auth_mail', 'realm');
revoke update, delete on auth_mail from app, worker;

-- Throttle counters, keyed by hash. Unlogged: a reservation before each password hash then costs no disk
-- flush; after a crash of the database everybody starts with a full budget, which is the safe way to fail.
create unlogged table login_bucket (
  realm_id uuid not null default my_realm(),
  bucket bytea not null check (length(bucket) = 32),
  failures int not null,
  window_started_at timestamptz not null,
  primary key (realm_id, bucket)
) with (fillfactor = 70);
create index login_bucket_age_idx on login_bucket (realm_id, window_started_at);
select protect('login_bucket', 'realm');
revoke all on login_bucket from worker, reader;
