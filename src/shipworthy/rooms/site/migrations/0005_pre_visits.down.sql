drop table visit_count;
