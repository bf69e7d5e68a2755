"""Losing an account and getting it back: a lost password, another address, leaving, being shut out."""
