"""Somebody else's provider, for a second opinion: the script that Node runs, and what starts it."""
