"""Figures: what is owed and since when, what was invoiced and paid, what tax came with it."""
