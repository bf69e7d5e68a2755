"""The client that apps test themselves with; ours do, too."""

from __future__ import annotations

from shipworthy.testing.client import Answer, Client

__all__ = ["Answer", "Client"]
