"""The room's named queries."""

from pathlib import Path

from shipworthy.kernel.db.queries import load_queries

q = load_queries(Path(__file__).parent / "queries.sql", room="site")
