"""Products: what is sold again and again, so that a line is picked instead of typed."""
