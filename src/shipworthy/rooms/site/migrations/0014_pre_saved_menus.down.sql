revoke update (locale) on site from worker;
revoke insert, delete on menu_item from worker;
