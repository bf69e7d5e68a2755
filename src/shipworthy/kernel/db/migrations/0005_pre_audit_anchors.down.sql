-- Values that were committed to are gone with their salts; the chain holds without them.
drop table audit_personal;
drop table audit_export;
drop table audit_anchor;
drop table audit_tip;
revoke select (realm_id, tenant_id) on tenant from auditor;
