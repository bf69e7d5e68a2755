"""Days on which a page comes and goes by itself."""
