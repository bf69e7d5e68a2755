-- Who sees the audit trail and nothing of the business.
alter table membership drop constraint membership_role_check,
  add constraint membership_role_check check (role in ('owner', 'member', 'viewer', 'auditor'));
alter table invitation drop constraint invitation_role_check,
  add constraint invitation_role_check check (role in ('owner', 'member', 'viewer', 'auditor'));
