"""`shipworthy deploy --backend systemd | kubernetes`: what another system is told, printed or written."""

from __future__ import annotations

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


def backend_options(command: Command) -> Command:
    """Add the options that are about other systems."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--backend",
        type=click.Choice(["local", "systemd", "kubernetes"]),
        default="local",
        show_default=True,
        help="local brings the version out here; the others print what systemd or a cluster is told.",
    ),
    click.option(
        "--write",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="Write the files of a backend to this folder instead of printing them.",
    ),
    click.option(
        "--image", default=None, help="kubernetes: the new version's image, with its tag or digest."
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
)


def tell(project: Project, elsewhere: Elsewhere, *, python: Path | None, weights: tuple[int, ...]) -> None:
    """Print or write the backend's files. Errors: UsageError, ClickException."""
    files = (
        _systemd(project, python) if elsewhere.backend == "systemd" else _cluster(project, elsewhere, weights)
    )
    if elsewhere.write is None:
        for name, text in files.items():
            click.echo(f"# {name}\n{text}")
    else:
        write_files(files, elsewhere.write, what="files")
    if elsewhere.backend == "systemd":
        click.echo(verified(files), err=True)


def _systemd(project: Project, python: Path | None) -> dict[str, str]:
    from shipworthy.delivery.systemd import Host, units_of

    host = Host(
        app=label_of(project),
        title=project.settings.app.name,
        folder=project.home,
        python=str(python.absolute()) if python else sys.executable,
        port=project.settings.http.port,
    )
    return units_of(host)


def _cluster(project: Project, elsewhere: Elsewhere, weights: tuple[int, ...]) -> dict[str, str]:
    from shipworthy.delivery.kubernetes import Cluster, manifests_of, written

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
        weights=weights,
    )
    return {name: written(manifests) for name, manifests in manifests_of(cluster).items()}


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
