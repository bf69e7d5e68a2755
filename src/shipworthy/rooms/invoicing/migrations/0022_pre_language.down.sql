alter table customer drop column language;
