drop table login_network;
drop function give_back_tries(bytea, int, bytea, bytea, int);
drop function count_tries(bytea, int, boolean, bytea, int, bytea, int, interval, timestamptz);
drop function count_try(bytea, int, interval, interval, timestamptz);
alter table login_bucket drop column free_at;
