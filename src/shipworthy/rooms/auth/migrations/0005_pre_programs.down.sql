-- What was told by mail of a program has no meaning without one.
delete from one_time_token
where purpose not in ('sign_up', 'account_exists', 'nothing', 'identity_code', 'identity_linked', 'identity_removed');
alter table one_time_token drop constraint one_time_token_purpose_check;
alter table one_time_token add constraint one_time_token_purpose_check
  check (purpose in ('sign_up', 'account_exists', 'nothing', 'identity_code', 'identity_linked', 'identity_removed'));
drop table program;
