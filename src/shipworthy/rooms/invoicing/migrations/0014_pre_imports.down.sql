drop table customer_source;
