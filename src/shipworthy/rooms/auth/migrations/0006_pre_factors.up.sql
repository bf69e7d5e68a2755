-- Second factors. All go with the account they belong to.
-- The authenticator app of a person, one each. The secret is sealed (factors/sealing.py); `last_step` is the
-- newest time step whose code was used, so that each code opens once.
create table totp (
  realm_id uuid not null default my_realm(),
  user_id uuid not null,
  sealed bytea not null check (length(sealed) between 29 and 200),
  last_step bigint not null default 0,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  primary key (realm_id, user_id),
  foreign key (realm_id, user_id) references app_user on delete cascade
);
select protect('totp', 'realm');
revoke all on totp from worker, reader;

-- Codes for the day the phone is lost: 80 random bits each, so a plain hash hides them; deleted when used.
create table recovery_code (
  realm_id uuid not null default my_realm(),
  user_id uuid not null,
  code_sha256 bytea not null check (length(code_sha256) = 32),
  created_at timestamptz not null,
  primary key (realm_id, user_id, code_sha256),
  foreign key (realm_id, user_id) references app_user on delete cascade
);
select protect('recovery_code', 'realm');
revoke update on recovery_code from app;
revoke all on recovery_code from worker, reader;

-- Passkeys. The public key proves; nothing here opens anything.
create table passkey (
  realm_id uuid not null default my_realm(),
  passkey_id uuid not null,
  user_id uuid not null,
  rp_id text not null check (length(rp_id) between 1 and 253),
  credential_id bytea not null check (length(credential_id) between 1 and 1023),
  public_key bytea not null check (length(public_key) between 1 and 2000),
  sign_count bigint not null,
  name text not null check (length(name) between 1 and 100),
  created_at timestamptz not null,
  last_used_at timestamptz,
  primary key (realm_id, passkey_id),
  unique (realm_id, credential_id),
  foreign key (realm_id, user_id) references app_user on delete cascade
);
create index passkey_user_idx on passkey (realm_id, user_id, created_at);
select protect('passkey', 'realm');
revoke update on passkey from app, worker;
grant update (sign_count, last_used_at, name) on passkey to app;
revoke all on passkey from worker, reader;

-- What waits for a factor, in one browser: the second step of a sign-in, or the signature of a passkey.
-- Unlogged: beginning costs no disk flush; after a crash of the database the few under way begin again.
create unlogged table factor_challenge (
  realm_id uuid not null default my_realm(),
  challenge_sha256 bytea not null check (length(challenge_sha256) = 32),
  browser_sha256 bytea not null check (length(browser_sha256) = 32),
  purpose text not null check (purpose in ('second', 'sign_in', 'second_passkey', 'confirm', 'register')),
  user_id uuid,
  device_id uuid,
  amr text not null default '',
  tries int not null default 0,
  expires_at timestamptz not null,
  primary key (realm_id, challenge_sha256)
);
create index factor_challenge_expiry_idx on factor_challenge (realm_id, expires_at);
select protect('factor_challenge', 'realm');
revoke all on factor_challenge from worker, reader;

-- Until when a browser that has shown the second factor is not asked for it again.
alter table device add column trusted_until timestamptz;
grant update (trusted_until) on device to app;
