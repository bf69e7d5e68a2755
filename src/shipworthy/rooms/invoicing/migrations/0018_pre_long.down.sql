-- Not validated: what was issued with more lines keeps them.
alter table invoice_line
  drop constraint invoice_line_line_no_check,
  add constraint invoice_line_line_no_check check (line_no between 1 and 1000) not valid,
  drop constraint invoice_line_credits_line_no_check,
  add constraint invoice_line_credits_line_no_check check (credits_line_no between 1 and 1000) not valid;
