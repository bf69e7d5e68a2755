"""Feature flags: declared by rooms, set in a file that is read again while the app runs (flagd's format)."""
