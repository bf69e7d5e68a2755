-- Of several organisations, the one that was entered last is where a sign-in leads.
alter table membership add column entered_at timestamptz;
create index membership_tenant_idx on membership (realm_id, tenant_id, created_at, user_id);
create index membership_owner_idx on membership (realm_id, tenant_id) where role = 'owner';

-- An open invitation: a row as long as it can be accepted, no row once it was, or was taken back. Its id is the
-- id of the letter that holds its link.
create table invitation (
  tenant_id uuid not null default my_tenant(),
  invitation_id uuid not null,
  email_raw text not null check (length(email_raw) between 3 and 254),
  email_canon text not null check (length(email_canon) between 3 and 254),
  role text not null check (role in ('owner', 'member', 'viewer')),
  invited_by uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, invitation_id),
  unique (tenant_id, email_canon)
);
select protect('invitation', 'tenant');
revoke update on invitation from app;
revoke all on invitation from worker;
