"""A real PostgreSQL for tests: one cluster per pytest process, made in about a second."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress

# Tests of our own durability start servers of their own; everyone else only needs the speed.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB"}


@contextmanager
def fresh_cluster() -> Iterator[PostgresAddress]:
    """Yield the address of a new, empty cluster, which is gone afterwards."""
    with open_directory() as directory:
        database = EmbeddedPostgres(directory / ".shipworthy", settings=QUICK)
        try:
            yield database.start()
        finally:
            database.stop()


@contextmanager
def open_directory() -> Iterator[Path]:
    """Yield a directory that every user may enter, unlike pytest's own 0700 `tmp_path`."""
    directory = Path(tempfile.mkdtemp(prefix="shipworthy-test-"))
    try:
        directory.chmod(0o755)
        yield directory
    finally:
        shutil.rmtree(directory)
