"""Log files of the local services: bounded at start, and quotable when something fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

LOG_BYTES_MAX = 8 * 1024 * 1024  # per file; one older file is kept beside it


def open_log(path: Path, *, size_bytes_max: int = LOG_BYTES_MAX) -> BinaryIO:
    """Open `path` for appending, first setting a file over the bound aside as `<name>.1`.

    The bound is kept at start only: a running service owns its descriptor.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > size_bytes_max:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def log_since(path: Path, *, offset: int, bytes_max: int = 16_384) -> str:
    """Return what was written to `path` after `offset`, at most the last `bytes_max` bytes of it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset, size - bytes_max))
        return file.read().decode("utf-8", "replace")
