"""Outgoing mail: written by jobs, so that a request never waits for a mail server."""
