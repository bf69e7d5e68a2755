"""PostgreSQL: pool, scoped transactions, named queries, migrations. The only user of asyncpg."""
