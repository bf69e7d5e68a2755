alter table session drop column amr, drop column proven_at;
