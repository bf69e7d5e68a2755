"""Telling others that something changed: a CDN what to drop, search engines where to look again.

Both are jobs of the transaction that made the change, off unless the settings name an endpoint, and done again
when the other side does not answer. A publish never waits for them.
"""
