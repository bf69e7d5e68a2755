drop table menu_item;
