-- What a tenant was given where that is not what the app gives everybody: the operator's to write. `most` null: as much as it wants.
create table tenant_limit (
  tenant_id uuid not null default my_tenant(),
  meter text not null check (length(meter) between 1 and 40),
  most bigint check (most >= 0),
  primary key (tenant_id, meter)
);
select protect('tenant_limit', 'tenant');
revoke insert, update, delete on tenant_limit from app, worker;

-- One row a meter and month (storage: one for ever). used is the sum of the events, reserved that of the holds.
create table budget (
  tenant_id uuid not null default my_tenant(),
  meter text not null check (length(meter) between 1 and 40),
  period date not null,
  used bigint not null default 0 check (used >= 0),
  reserved bigint not null default 0 check (reserved >= 0),
  primary key (tenant_id, meter, period)
) with (fillfactor = 50);
select protect('budget', 'tenant');

-- What used it: a source counts once, however often its job ran. Of storage it is the ledger of objects.
create table usage_event (
  tenant_id uuid not null default my_tenant(),
  meter text not null,
  source text not null check (length(source) between 1 and 300),
  period date not null,
  amount bigint not null check (amount >= 0),
  at timestamptz not null,
  primary key (tenant_id, meter, source)
);
create index usage_event_period_idx on usage_event (tenant_id, meter, period, at);
select protect('usage_event', 'tenant');

-- What running jobs may come to. A worker that dies leaves its hold to the next try of the same job.
create table usage_hold (
  tenant_id uuid not null default my_tenant(),
  meter text not null,
  source text not null check (length(source) between 1 and 300),
  period date not null,
  amount bigint not null check (amount >= 0),
  at timestamptz not null,
  primary key (tenant_id, meter, source)
);
select protect('usage_hold', 'tenant');

-- Day by day, for charts and forecasts: what was used on a day; of storage, how much stood at its end.
create table usage_day (
  tenant_id uuid not null default my_tenant(),
  meter text not null,
  day date not null,
  amount bigint not null check (amount >= 0),
  primary key (tenant_id, meter, day)
) with (fillfactor = 50);
select protect('usage_day', 'tenant');

-- What was told of a budget, once a period.
create table usage_notice (
  tenant_id uuid not null default my_tenant(),
  meter text not null,
  period date not null,
  kind text not null check (kind in ('50', '80', '95', 'forecast', 'full')),
  used bigint not null,
  most bigint not null,
  expected_at timestamptz,
  at timestamptz not null,
  mailed_at timestamptz,
  posted_at timestamptz,
  primary key (tenant_id, meter, period, kind)
);
select protect('usage_notice', 'tenant');

-- Jobs that wait until there is budget again.
create table job_waiting (
  tenant_id uuid not null default my_tenant(),
  kind text not null,
  source text not null,
  meter text not null,
  renews_at timestamptz,
  at timestamptz not null,
  primary key (tenant_id, kind, source)
);
create index job_waiting_meter_idx on job_waiting (tenant_id, meter, at, kind, source);
select protect('job_waiting', 'tenant');

-- Which tenants are to be looked at, and from when on. Ids only, append-only for the app, the worker's list of duties.
create table usage_due (
  realm_id uuid not null,
  tenant_id uuid not null,
  at timestamptz not null
);
create index usage_due_at_idx on usage_due (at);
revoke all on usage_due from public;
grant insert on usage_due to app, worker;
grant select, delete on usage_due to worker;

-- The line of jobs: its virtual time, the start that the highest priority stands for, and where each flow is.
create table job_line (
  virtual_ms bigint not null default 0,
  base_ms bigint not null default 0,
  is_only boolean primary key default true check (is_only)
);
insert into job_line default values;
create table job_flow (
  flow text primary key,
  finish_ms bigint not null,
  cost_ms int not null check (cost_ms > 0)
);
revoke all on job_line, job_flow from public;
grant select, update on job_line to worker;
grant select, insert, update, delete on job_flow to worker;
