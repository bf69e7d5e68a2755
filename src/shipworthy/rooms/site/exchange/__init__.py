"""Whole websites that come from elsewhere, and go: looked through first, taken in by jobs, taken out again."""
