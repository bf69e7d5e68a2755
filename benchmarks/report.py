"""The shape every benchmark answers in: a table for people, then one JSON object as the last line."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

Figure = float | int | str | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one benchmark found.

    `valid` is False when the machine was too noisy or the generator fell behind: then the
    figures are shown and not claimed, and `notes` says why.
    """

    name: str
    figures: Mapping[str, Figure]
    valid: bool = True
    notes: Sequence[str] = ()
    extra_machine: Mapping[str, str] = field(default_factory=dict)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print one table for people; the first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else _number(cell) for cell in row))
    _console().print(table)


def publish(report: Report, *, bounds: Mapping[str, str] | None = None) -> None:
    """Print the figures as a table and then, as the last line, the promised JSON object.

    `bounds` says in words what is owed or aimed for a figure; it is shown, not judged.
    """
    said = bounds or {}
    rows = [
        (key, value if value is not None else "not measured", said.get(key, ""))
        for key, value in report.figures.items()
    ]
    show_table(f"benchmark {report.name}", ("figure", "value", "owed / aimed"), rows)
    for note in report.notes:
        _console().print(f"note: {note}", highlight=False)
    document = {
        "name": report.name,
        "figures": dict(report.figures),
        "machine": {**machine(), **report.extra_machine},
        "valid": report.valid,
    }
    sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
    sys.stdout.flush()


def machine() -> dict[str, str]:
    """Return what the figures were measured on: processor, cores, memory, system, Python, load."""
    return {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory_gb": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average": f"{os.getloadavg()[0]:.2f}",
    }


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _console() -> Console:
    # Wide enough that a table is not folded when the output goes to a file or a CI log.
    return Console(width=None if sys.stdout.isatty() else 140)


def _number(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
