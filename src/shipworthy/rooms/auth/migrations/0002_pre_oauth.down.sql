-- What was asked or told by mail for an identity has no meaning without one.
-- The owner is under row security, too: for what moves rows below, it is not, until the end of this file.
alter table one_time_token no force row level security;
delete from one_time_token where purpose in ('identity_code', 'identity_linked', 'identity_removed');
alter table one_time_token drop constraint one_time_token_purpose_check;
alter table one_time_token add constraint one_time_token_purpose_check
  check (purpose in ('sign_up', 'account_exists', 'nothing'));
drop table oauth_state;
drop table identity;
alter table one_time_token force row level security;
