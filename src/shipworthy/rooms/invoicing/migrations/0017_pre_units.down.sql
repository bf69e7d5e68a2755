-- What was issued keeps its quantities; what they count is on paper still.
alter table product drop column unit;
alter table invoice_line drop column unit;
