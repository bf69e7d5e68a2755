-- Who runs this installation: they see how it does, no tenant's data. Named from the command line by the worker's role;
-- the app, which answers the web, can only read who they are.
create table operator (
  realm_id uuid not null default my_realm(),
  user_id uuid not null,
  added_at timestamptz not null,
  primary key (realm_id, user_id)
);
select protect('operator', 'realm');
revoke insert, update, delete on operator from app;

-- Copied at sign-in and at every change, like everything a look-up must know.
alter table session add column is_operator boolean not null default false;
