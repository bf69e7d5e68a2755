"""Jobs on the same PostgreSQL: enqueued with the change, done at least once, effective once (D8)."""
