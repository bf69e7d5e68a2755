"""The audit trail: written with the change, chained within a second, verified on demand (D19)."""
