"""A TCP proxy between an app and what it needs, which can be made a bad network.

The words are Toxiproxy's (latency, bandwidth, reset_peer, timeout, slow_close, limit_data). It
runs in a process of its own; every toxic ends by itself, and all do when the examiner dies.
"""
