"""`shipworthy deploy --backend systemd | compose | kubernetes`: what another system is told, printed or written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shipworthy.cli.options import write_files

if TYPE_CHECKING:
    from shipworthy.cli.project import Project

Command = TypeVar("Command", bound=Callable[..., Any])
_Files = tuple[dict[str, str], dict[str, str]]  # to apply, and to keep from everybody
_VERIFY_TIMEOUT_S = 30.0
_LABEL_CHARS_MAX = 40  # names are made of it, and those have 63


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """What a person may say about another system that brings versions out."""

    backend: str
    write: Path | None
    image: str | None
    hosts: tuple[str, ...]
    gateway: str
    namespace: str
    database_gib: int


def backend_options(command: Command) -> Command:
    """Add the options that are about other systems."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--backend",
        type=click.Choice(["local", "systemd", "compose", "kubernetes"]),
        default="local",
        show_default=True,
        help="local brings the version out here; the others print what systemd, Docker Compose or a cluster is told.",
    ),
    click.option(
        "--write",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="Write the files of a backend to this folder instead of printing them.",
    ),
    click.option(
        "--image",
        default=None,
        help="kubernetes, compose: the new version's image, with its tag or digest (compose: else built here).",
    ),
    click.option(
        "--host",
        "hosts",
        multiple=True,
        help="kubernetes: a host name people use; may be repeated (default: app.hosts).",
    ),
    click.option(
        "--gateway", default="gateway", show_default=True, help="kubernetes: the Gateway that routes."
    ),
    click.option("--namespace", default="default", show_default=True, help="kubernetes: the namespace."),
    click.option(
        "--database-gib",
        type=click.IntRange(1),
        default=None,
        help="kubernetes: let CloudNativePG keep the database, on volumes of this size (default: it is elsewhere).",
    ),
)


def tell(project: Project, elsewhere: Elsewhere, *, python: Path | None, weights: tuple[int, ...]) -> None:
    """Print or write the backend's files. Errors: UsageError, ClickException."""
    asked = {"systemd": _systemd, "compose": _compose, "kubernetes": _cluster}[elsewhere.backend]
    files, secret = asked(project, elsewhere, python=python, weights=weights)
    if elsewhere.write is None:
        for name, text in files.items():
            click.echo(f"# {name}\n{text}")
    else:
        write_files(files, elsewhere.write, what="files")
        _write_once(secret, elsewhere.write)
    if elsewhere.backend == "systemd":
        click.echo(verified(files), err=True)


def _write_once(secret: dict[str, str], folder: Path) -> None:
    """Write what nobody else may read; what is there already stays, or the app would be locked out of its data."""
    ours = {folder / name: text for name, text in secret.items()}
    if there := [path for path in ours if path.exists()]:
        click.echo(f"kept: {', '.join(map(str, there))}", err=True)
        return  # all of one making, or none: a password stands in two of them
    for path, text in ours.items():
        try:
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
        except OSError as failed:
            raise click.ClickException(f"{path} could not be written: {failed.strerror}") from failed
        click.echo(path)
    ignored = folder / ".gitignore"
    if ours and not ignored.exists():
        ignored.write_text("*.env\n", encoding="utf-8")


def _systemd(
    project: Project, elsewhere: Elsewhere, *, python: Path | None, weights: tuple[int, ...]
) -> _Files:
    from shipworthy.delivery.systemd import Host, units_of

    host = Host(
        app=label_of(project),
        title=project.settings.app.name,
        folder=project.home,
        python=str(python.absolute()) if python else sys.executable,
        port=project.settings.http.port,
    )
    return units_of(host), {}


def _compose(
    project: Project, elsewhere: Elsewhere, *, python: Path | None, weights: tuple[int, ...]
) -> _Files:
    from shipworthy.delivery.compose import DATABASE, SESSIONS, Machine, compose_of
    from shipworthy.delivery.credentials import Credentials, files_of
    from shipworthy.delivery.yaml import written

    app, has_valkey = label_of(project), project.settings.sessions.store == "valkey"
    folder = (elsewhere.write or Path("compose")).absolute()
    machine = Machine(
        app=app,
        port=project.settings.http.port,
        image=elsewhere.image or "",
        context=os.path.relpath(project.home, folder),
        has_valkey=has_valkey,
    )
    secret = files_of(
        Credentials(),
        database_host=DATABASE,
        name=app,
        valkey_host=SESSIONS if has_valkey else "",
        superuser=("", "POSTGRES_PASSWORD"),
    )
    return {"compose.yaml": written([compose_of(machine)])}, secret


def _cluster(
    project: Project, elsewhere: Elsewhere, *, python: Path | None, weights: tuple[int, ...]
) -> _Files:
    from shipworthy.delivery.cluster import Cluster
    from shipworthy.delivery.credentials import Credentials, files_of
    from shipworthy.delivery.kubernetes import manifests_of
    from shipworthy.delivery.yaml import written

    if not elsewhere.image or not re.search(r"[:@][^/]+$", elsewhere.image):
        raise click.UsageError(
            "a cluster needs an image with its tag or digest: --image registry.example/app:v7. The app's Dockerfile makes one."
        )
    local = ("localhost", "127.0.0.1", "::1")
    hosts = elsewhere.hosts or tuple(host for host in project.settings.app.hosts if host not in local)
    if not hosts:
        raise click.UsageError("a cluster needs the host name that people use: --host app.example")
    cluster = Cluster(
        app=label_of(project),
        image=elsewhere.image,
        hosts=hosts,
        gateway=elsewhere.gateway,
        namespace=elsewhere.namespace,
        database_gib=elsewhere.database_gib or 0,
        has_valkey=project.settings.sessions.store == "valkey",
        weights=weights,
    )
    secret = files_of(
        Credentials(),
        database_host=cluster.database_host if cluster.database_gib else "database.example",
        name=cluster.app,
        valkey_host=cluster.sessions if cluster.has_valkey else "",
        superuser=("username", "password") if cluster.database_gib else None,  # as CloudNativePG wants it
    )
    return {name: written(manifests) for name, manifests in manifests_of(cluster).items()}, secret


def label_of(project: Project) -> str:
    """Return the app's name as a DNS label, which is a user's and a unit's name, too."""
    for text in (project.settings.app.name, project.home.name):
        label = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LABEL_CHARS_MAX].rstrip("-")
        if label and label[0].isalpha():
            return label
    return "app"


def verified(units: dict[str, str]) -> str:
    """Return what systemd-analyze says of the units, in one sentence or more."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return (
            "units: NOT MEASURED, systemd-analyze is not here; where it is: systemd-analyze verify *.service"
        )
    with tempfile.TemporaryDirectory(prefix="shipworthy-units-") as scratch:
        paths = [Path(scratch) / name for name in units]
        for path in paths:
            path.write_text(units[path.name], encoding="utf-8")
        try:
            done = subprocess.run(
                [program, "verify", "--man=no", *map(str, paths)],
                capture_output=True,
                text=True,
                timeout=_VERIFY_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as failed:
            return f"units: NOT MEASURED, systemd-analyze did not answer: {failed}"
    said = (done.stdout + done.stderr).strip()
    if done.returncode or said:
        return f"units: systemd-analyze complains\n{said}"
    return "units: systemd-analyze finds nothing"
