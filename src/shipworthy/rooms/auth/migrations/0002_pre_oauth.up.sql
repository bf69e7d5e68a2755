-- Sign-in through others. A person is known there by issuer, subject and (Entra) directory, for ever; the
-- address is only what they said last, and never a key.
create table identity (
  realm_id uuid not null default my_realm(),
  identity_id uuid not null,
  user_id uuid not null,
  provider text not null check (length(provider) between 1 and 31),
  issuer text not null check (length(issuer) between 1 and 2000),
  subject text not null check (length(subject) between 1 and 255),
  directory text not null default '' check (length(directory) <= 255),
  email text not null check (length(email) <= 255),
  linked_at timestamptz not null,
  primary key (realm_id, identity_id),
  unique (realm_id, issuer, subject, directory),
  foreign key (realm_id, user_id) references app_user
);
create index identity_user_idx on identity (realm_id, user_id, linked_at);
select protect('identity', 'realm');
revoke update on identity from app, worker;
revoke all on identity from worker, reader;

-- One attempt of one browser at one provider, used up by its answer. Unlogged: beginning a sign-in then costs
-- no disk flush; after a crash of the database the few under way begin again.
create unlogged table oauth_state (
  realm_id uuid not null default my_realm(),
  state_sha256 bytea not null check (length(state_sha256) = 32),
  browser_sha256 bytea not null check (length(browser_sha256) = 32),
  provider text not null,
  user_id uuid,
  verifier text not null,
  nonce text not null,
  redirect_uri text not null,
  next text not null,
  expires_at timestamptz not null,
  primary key (realm_id, state_sha256)
);
create index oauth_state_expiry_idx on oauth_state (realm_id, expires_at);
select protect('oauth_state', 'realm');
revoke all on oauth_state from worker, reader;

alter table one_time_token drop constraint one_time_token_purpose_check;
alter table one_time_token add constraint one_time_token_purpose_check
  check (purpose in ('sign_up', 'account_exists', 'nothing', 'identity_code', 'identity_linked', 'identity_removed'));
