-- Ten thousand lines: what is longer than paper likes is printed as a summary, with its lines in an annex.
alter table invoice_line
  drop constraint invoice_line_line_no_check,
  add constraint invoice_line_line_no_check check (line_no between 1 and 10000),
  drop constraint invoice_line_credits_line_no_check,
  add constraint invoice_line_credits_line_no_check check (credits_line_no between 1 and 10000);
