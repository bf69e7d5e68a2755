-- What was asked or told by mail for a factor has no meaning without one.
delete from one_time_token where purpose in ('confirm_code', 'factor_added', 'factor_removed', 'passkey_copied');
alter table device drop column trusted_until;
drop table factor_challenge;
drop table passkey;
drop table recovery_code;
drop table totp;
