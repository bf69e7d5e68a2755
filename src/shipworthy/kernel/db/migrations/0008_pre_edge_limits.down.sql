drop function limit_wait(bytea, interval, interval);
drop table edge_limit;
