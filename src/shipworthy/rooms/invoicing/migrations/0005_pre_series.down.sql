do $$
declare made text;
begin
  for made in select relname from pg_class where relkind = 'S' and relname ~ '^series_[0-9a-f]{32}$' loop
    execute format('drop sequence %I', made);
  end loop;
end $$;
drop function series_begin(text, bigint);
drop function series_draw(text);
drop function series_name(text);
drop policy payment_not_into_closed_books on payment;
drop policy invoice_not_into_closed_books on invoice;
drop function invoice_was_issued(uuid, uuid);
drop function books_are_open(date);
alter table series drop column opening_seq, drop column last_issue_date;
drop table books;
drop table series_rule;
