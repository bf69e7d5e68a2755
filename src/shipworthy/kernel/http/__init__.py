"""The HTTP edge: one ordered path from bytes to a handler and back. The only part, with the
rooms' web.py, that knows HTTP."""
