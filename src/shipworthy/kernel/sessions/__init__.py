"""Sessions: an opaque cookie, a record with explicit ends, a short-lived look-up cache (D10)."""
