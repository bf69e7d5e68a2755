-- What was told by mail of a program has no meaning without one.
-- The owner is under row security, too: for what moves rows below, it is not, until the end of this file.
alter table one_time_token no force row level security;
delete from one_time_token
where purpose not in ('sign_up', 'account_exists', 'nothing', 'identity_code', 'identity_linked', 'identity_removed');
alter table one_time_token drop constraint one_time_token_purpose_check;
alter table one_time_token add constraint one_time_token_purpose_check
  check (purpose in ('sign_up', 'account_exists', 'nothing', 'identity_code', 'identity_linked', 'identity_removed'));
drop table program;
alter table one_time_token force row level security;
