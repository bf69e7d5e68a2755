alter table session drop column language;
