-- What was asked or told by mail for a factor has no meaning without one.
-- The owner is under row security, too: for what moves rows below, it is not, until the end of this file.
alter table one_time_token no force row level security;
delete from one_time_token where purpose in ('confirm_code', 'factor_added', 'factor_removed', 'passkey_copied');
alter table device drop column trusted_until;
drop table factor_challenge;
drop table passkey;
drop table recovery_code;
drop table totp;
alter table one_time_token force row level security;
