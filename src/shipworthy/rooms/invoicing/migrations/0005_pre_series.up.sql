-- How numbers are made: a rule per series, a counter that knows its first number and its last date, closed books.
create table series_rule (
  tenant_id uuid not null default my_tenant(),
  series_id text not null check (series_id in ('invoice', 'credit_note')),
  prefix text not null check (prefix ~ '^[A-Za-z./-]{0,10}$'), -- no digits: no two series can write one number
  digits smallint not null check (digits between 1 and 9),
  per text not null check (per in ('year', 'month', 'none')),
  policy text not null check (policy in ('gapless', 'gapless_chronological', 'unique_only')),
  opening_seq bigint not null check (opening_seq between 1 and 999999999),
  updated_at timestamptz not null,
  primary key (tenant_id, series_id)
);
select protect('series_rule', 'tenant');
revoke delete on series_rule from app;

create table books (
  tenant_id uuid not null default my_tenant(),
  closed_until date, -- nothing is dated on this day or before it
  updated_at timestamptz not null,
  primary key (tenant_id)
);
select protect('books', 'tenant');
revoke delete on books from app;
revoke insert, update, delete on series_rule, books from worker;

alter table series
  add column opening_seq bigint not null default 1 check (opening_seq >= 1),
  add column last_issue_date date;
grant update (last_issue_date) on series to app;
alter table series no force row level security;
alter table invoice no force row level security;
update series s set last_issue_date = (
  select max(issue_date) from invoice i
  where i.tenant_id = s.tenant_id and i.series_id = s.series_id and i.period = s.period);
alter table series force row level security;
alter table invoice force row level security;

-- A second net below the room's own question.
create function books_are_open(day date) returns boolean language sql stable as $$
  select not exists (select from books where closed_until >= day)
$$;
create function invoice_was_issued(tenant uuid, invoice uuid) returns boolean language sql stable as $$
  select exists (select from invoice before
    where before.tenant_id = tenant and before.invoice_id = invoice and before.issued_at is not null)
$$;
create policy invoice_not_into_closed_books on invoice as restrictive for update to public
  using (true) with check (status = 'draft' or books_are_open(issue_date) or invoice_was_issued(tenant_id, invoice_id));
create policy payment_not_into_closed_books on payment as restrictive for insert to public with check (books_are_open(paid_on));

-- Numbers that may have gaps come from a sequence of the tenant's own: nobody waits for anybody's commit. It is made
-- when the rule is chosen; the app's role can make none and draws from its own tenant's only.
create function series_name(series text) returns text language sql stable as
$$ select 'series_' || md5(my_tenant()::text || '/' || series) $$;
create function series_begin(series text, opening bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  execute format('create sequence if not exists %I start with %s', series_name(series), opening);
end $$;
create function series_draw(series text) returns bigint
language sql volatile security definer set search_path = public, pg_temp as $$ select nextval(series_name(series)::regclass) $$;
revoke all on function series_begin(text, bigint), series_draw(text) from public;
grant execute on function series_begin(text, bigint), series_draw(text) to app;
