"""How long, as people type it."""

from __future__ import annotations

import re

import click


def seconds(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    """Return the seconds of "30s", "2m" or "30"; for an option's `callback`. Errors: BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|)", text.strip())
    if not found:
        raise click.BadParameter(f"{text!r} is not a time like 30s or 2m")
    return float(found[1]) * (60 if found[2] == "m" else 1)
