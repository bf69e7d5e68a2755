"""Where a file stands, as people and the examiner name it: from the folder that holds its package."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def source_of(path: Path) -> str:
    """Return a file's place: `src/shipworthy/rooms/site/web.py` of ours, `rooms/bookings/web.py` of an app's own."""
    top = path.parent
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    shown = path.relative_to(top.parent).as_posix()
    return f"src/{shown}" if top.name == "shipworthy" else shown


def line_of_code(function: Callable[..., Any]) -> str:
    """Return file and line of a function, past its decorators."""
    code = inspect.unwrap(function).__code__
    return f"{source_of(Path(code.co_filename))}:{code.co_firstlineno}"
