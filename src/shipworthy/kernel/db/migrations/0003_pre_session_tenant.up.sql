-- A tenant's new name is shown in every session that acts for it.
create index session_tenant_idx on session (realm_id, tenant_id) where revoked_at is null;
