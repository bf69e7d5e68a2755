-- What was issued keeps its amounts; why they are what they are is lost with these columns.
alter table invoice_line drop column change;
alter table invoice drop column changes, drop column prices_include_tax;
