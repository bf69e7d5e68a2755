"""Trace ids and logs: every line carries the id of the request or job that wrote it."""
