"""Shipworthy: from demo to dependable."""

__version__ = "0.1.0"
