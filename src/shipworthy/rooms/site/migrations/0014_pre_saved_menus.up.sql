-- A saved website brings its menus and its language along, and a job takes them in.
grant insert, delete on menu_item to worker;
grant update (locale) on site to worker;
