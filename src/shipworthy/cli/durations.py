"""How long, as people type it."""

from __future__ import annotations

import re

import click


def seconds(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    """Return the seconds of "30s", "2m", "1h" or "30"; for an option's `callback`. Errors: BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|)", text.strip())
    if not found:
        raise click.BadParameter(f"{text!r} is not a time like 30s, 2m or 1h")
    return float(found[1]) * {"h": 3600, "m": 60}.get(found[2], 1)
