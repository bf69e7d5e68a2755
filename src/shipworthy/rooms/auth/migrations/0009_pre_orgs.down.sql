-- A link to an invitation has no meaning without one.
-- The owner is under row security, too: for what moves rows below, it is not, until the end of this file.
alter table one_time_token no force row level security;
delete from one_time_token where purpose = 'invitation';
drop table invitation;
drop index membership_owner_idx;
drop index membership_tenant_idx;
alter table membership drop column entered_at;
alter table one_time_token force row level security;
