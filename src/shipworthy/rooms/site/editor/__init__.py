"""The editor: forms and blocks, what buttons do to them, and two people on one page."""
