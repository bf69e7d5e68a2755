-- What visitors sent by the forms of a website. Its id follows from the seal it was sent with, so it is there once.
-- `notify` is who is told by mail, empty for nobody.
create table message (
  tenant_id uuid not null default my_tenant(),
  message_id uuid not null,
  site_id uuid not null,
  page_id uuid not null,
  page_title text not null,
  sender_name text not null check (length(sender_name) between 1 and 100),
  sender_email text not null check (length(sender_email) between 3 and 254),
  sender_phone text not null default '' check (length(sender_phone) <= 40),
  message_text text not null check (length(message_text) between 1 and 5000),
  notify text not null default '' check (length(notify) <= 254),
  received_at timestamptz not null,
  mailed_at timestamptz,
  primary key (tenant_id, message_id),
  foreign key (tenant_id, site_id) references site
);
create index message_received_idx on message (tenant_id, received_at desc, message_id desc);
select protect('message', 'tenant');
revoke update on message from app;
revoke insert, update, delete on message from worker;
grant update (mailed_at) on message to worker;
