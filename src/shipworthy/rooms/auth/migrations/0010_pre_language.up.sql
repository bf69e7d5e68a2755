-- The language a person chose: of their pages wherever they sign in, and of the letters to them. A letter also keeps the
-- language of whoever asked for it, for those who chose none or have no account yet.
alter table app_user add column language text not null default '' check (language in ('', 'en', 'de'));
grant update (language) on app_user to app;
alter table one_time_token add column language text not null default '' check (language in ('', 'en', 'de'));
