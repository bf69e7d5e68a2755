"""The database and the file store of an installation, for who runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.kernel.files.store import FileStore

STATE = click.option(
    "--state", type=click.Path(path_type=Path), help="State directory (default: .shipworthy in the app)."
)


@contextmanager
def installation_reached(home: Path | None, state: Path | None) -> Iterator[tuple[str, FileStore]]:
    """Yield the administrator's address and the file store: what the environment names, else the app's own."""
    from shipworthy.cli.backup import state_of
    from shipworthy.cli.project import load_project
    from shipworthy.cli.stack import DATABASE
    from shipworthy.kernel.files.store import open_files
    from shipworthy.local.postgres import EmbeddedPostgres

    project = load_project(home)
    place = state_of(project, state)
    files = open_files(project.settings.files.url, default_folder=place.path / "files")
    if url := os.environ.get("SHIPWORTHY_DB_URL_ADMIN"):
        yield url, files
        return
    if project.settings.db.provider == "url":
        raise click.UsageError(
            "SHIPWORTHY_DB_URL_ADMIN is not set: the postgresql:// address of an administrator"
        )
    with EmbeddedPostgres(place.path).reached() as address:
        yield address.url(DATABASE), files
