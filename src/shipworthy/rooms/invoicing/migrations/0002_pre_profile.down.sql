alter table customer drop column buyer_reference;
drop table seller_profile;
