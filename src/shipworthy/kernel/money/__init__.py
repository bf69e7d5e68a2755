"""Exact money: the type, the currencies, the one rounding function, reading and writing amounts."""
