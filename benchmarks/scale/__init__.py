"""Growing: what more rows, more tenants and more processes change."""
