drop table session;
drop table audit_due;
drop table realm_audit;
drop table audit_head;
drop table audit;
drop table idempotency_key;
drop table tenant;
drop table realm;
