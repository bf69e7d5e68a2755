"""`shipworthy settings`: every setting, its value, and whether app.toml says it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from urllib.parse import urlsplit

import click


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """Print the settings of the app in this folder; no secret is shown.

    \b
    Example:  shipworthy settings
    """
    import tomllib

    from shipworthy.cli.project import VALKEY, load_project
    from shipworthy.kernel.settings import APP_FILE

    project = load_project()
    values = asdict(project.settings)
    valkey_url = os.environ.get(VALKEY)
    if project.settings.sessions.store == "valkey":
        values["sessions"]["valkey_url"] = _masked(valkey_url) if valkey_url else None
    if as_json:
        click.echo(json.dumps(values, indent=2, default=str))
        return
    said = tomllib.loads((project.home / APP_FILE).read_text(encoding="utf-8"))
    for section, entries in values.items():
        click.echo(click.style(f"[{section}]", bold=True))
        for name, value in entries.items():
            origin = APP_FILE if name in said.get(section, {}) else "default"
            if name == "valkey_url":
                origin = VALKEY if valkey_url else "shipworthy up brings one"
            shown = json.dumps(list(value) if isinstance(value, tuple) else value)
            click.echo(f"  {name:28} {shown:32} {click.style(origin, dim=True)}")


def _masked(url: str) -> str:
    """Return an address without what it is opened with."""
    login, at, place = urlsplit(url).netloc.rpartition("@")
    user = login.partition(":")[0]
    return f"{urlsplit(url).scheme}://{user}{':***' if at else ''}{at}{place}"
