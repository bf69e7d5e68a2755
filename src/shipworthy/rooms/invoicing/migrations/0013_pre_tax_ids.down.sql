drop table tax_id_proof;
