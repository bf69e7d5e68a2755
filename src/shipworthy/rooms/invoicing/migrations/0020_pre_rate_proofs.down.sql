drop table tax_rate_proof;
