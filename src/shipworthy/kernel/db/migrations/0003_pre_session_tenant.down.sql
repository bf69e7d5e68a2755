drop index session_tenant_idx;
