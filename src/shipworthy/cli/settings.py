"""`shipworthy settings`: every setting, its value, and whether app.toml says it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> None:
    """Print the settings of the app in this folder; secrets never stand among them.

    \b
    Example:  shipworthy settings
    """
    import tomllib

    from shipworthy.cli.project import load_project
    from shipworthy.kernel.settings import APP_FILE

    project = load_project()
    values = asdict(project.settings)
    if as_json:
        click.echo(json.dumps(values, indent=2, default=str))
        return
    said = tomllib.loads((project.home / APP_FILE).read_text(encoding="utf-8"))
    for section, entries in values.items():
        click.echo(click.style(f"[{section}]", bold=True))
        for name, value in entries.items():
            origin = APP_FILE if name in said.get(section, {}) else "default"
            shown = json.dumps(list(value) if isinstance(value, tuple) else value)
            click.echo(f"  {name:28} {shown:32} {click.style(origin, dim=True)}")
