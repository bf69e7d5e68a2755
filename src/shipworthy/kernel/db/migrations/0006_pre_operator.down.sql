alter table session drop column is_operator;
drop table operator;
