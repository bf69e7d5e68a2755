"""The named queries this room runs: its own, and the kernel's for making a tenant."""

from __future__ import annotations

from pathlib import Path

import shipworthy.kernel
from shipworthy.kernel.db.queries import load_queries

q = load_queries(Path(__file__).parent / "queries.sql", room="auth")
kernel = load_queries(Path(shipworthy.kernel.__file__).parent / "queries.sql", room="kernel")
