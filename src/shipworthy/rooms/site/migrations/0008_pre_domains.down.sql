-- Hosts that were verified stay: they lead to their sites as before.
drop table domain_claim;
