-- A link to an invitation has no meaning without one.
delete from one_time_token where purpose = 'invitation';
drop table invitation;
drop index membership_owner_idx;
drop index membership_tenant_idx;
alter table membership drop column entered_at;
