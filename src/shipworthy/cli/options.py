"""What several commands take: the app's folder, a target, a report, how long; and files they write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import click

HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The app's folder.",
)
TARGET = click.option(
    "--target",
    type=click.Path(path_type=Path),
    default=None,
    help="A gauntlet.toml, for an app that is not ours.",
)
REPORT = click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=Path("report"),
    show_default=True,
    help="The folder of the report, or its report.json.",
)


def write_files(files: Mapping[str, str], folder: Path, *, what: str) -> None:
    """Write files into a folder and print where each is. Errors: ClickException naming `what` they are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            click.echo(folder / name)
    except OSError as failed:
        raise click.ClickException(
            f"the {what} could not be written to {folder}: {failed.strerror}"
        ) from failed


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
