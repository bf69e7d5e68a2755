"""Faults: each heals itself, or is healed by the exam that inflicted it, whatever happens."""
