"""Flows: what a person must be able to do, walked step by step in a real browser."""
