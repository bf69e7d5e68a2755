"""What several commands take: the app's folder, and how long, as people type it."""

from __future__ import annotations

import re
from pathlib import Path

import click

HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The app's folder.",
)


def seconds(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    """Return the seconds of "30s", "2m", "1h" or "30"; for an option's `callback`. Errors: BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|)", text.strip())
    if not found:
        raise click.BadParameter(f"{text!r} is not a time like 30s, 2m or 1h")
    return float(found[1]) * {"h": 3600, "m": 60}.get(found[2], 1)


def some_seconds(ctx: click.Context, param: click.Parameter, text: str) -> float:
    """Return the seconds as `seconds` does, and refuse none at all. Errors: BadParameter."""
    if not (found_s := seconds(ctx, param, text)):
        raise click.BadParameter(f"{text!r} is not a time like 30s or 2m")
    return found_s
