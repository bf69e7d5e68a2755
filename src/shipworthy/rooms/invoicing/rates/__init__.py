"""Tax rates as rows with the days they hold for: the tenant's own list, and why a rate was applied."""
