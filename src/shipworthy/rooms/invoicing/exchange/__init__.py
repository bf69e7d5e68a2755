"""Data that leaves and comes as CSV."""
