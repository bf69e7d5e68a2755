-- An older release knows no auditors, and any role it knows would let them see more: they leave.
-- The owner is under row security, too: for what deletes rows below, it is not, until the end of this file.
alter table membership no force row level security;
alter table invitation no force row level security;
delete from membership where role = 'auditor';
delete from invitation where role = 'auditor';
alter table membership drop constraint membership_role_check,
  add constraint membership_role_check check (role in ('owner', 'member', 'viewer'));
alter table invitation drop constraint invitation_role_check,
  add constraint invitation_role_check check (role in ('owner', 'member', 'viewer'));
alter table membership force row level security;
alter table invitation force row level security;
