-- The language its person chose, where they chose one; else each browser's own holds.
alter table session add column language text not null default '' check (language in ('', 'en', 'de'));
