alter table seller_profile drop column accent, drop column footer, drop column logo_key;
