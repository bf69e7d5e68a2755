"""The command line: one file per command, arguments only; the work is elsewhere, imported late."""
