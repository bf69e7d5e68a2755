-- What somebody says is theirs: a TXT record with this token shows it. Several tenants may say so of one host; it is
-- theirs who shows it first (site_domain). A claim stays when it was verified: it says that the host was brought along.
create table domain_claim (
  tenant_id uuid not null default my_tenant(),
  claim_id uuid not null,
  site_id uuid not null,
  host text not null check (host ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' and length(host) <= 240),
  token text not null check (length(token) >= 20),
  created_at timestamptz not null,
  verified_at timestamptz,
  primary key (tenant_id, claim_id),
  foreign key (tenant_id, site_id) references site
);
create unique index domain_claim_host_idx on domain_claim (tenant_id, host);
select protect('domain_claim', 'tenant');
revoke insert, update, delete on domain_claim from worker;
