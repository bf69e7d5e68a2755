"""`shipworthy deploy`: bring the version in this folder out, judged while it takes traffic."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from shipworthy.cli.backends import Elsewhere, backend_options, tell
from shipworthy.cli.options import HOME, some_seconds

if TYPE_CHECKING:
    from shipworthy.contract.manifest import Manifest
    from shipworthy.delivery.fleet import Place
    from shipworthy.delivery.plan import Outcome
    from shipworthy.delivery.release import Release
    from shipworthy.delivery.rollout import Rollout

_DESCRIBE_TIMEOUT_S = 60
_RELEASES_KEPT = 5


def _weights(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[int, ...]:
    parts = text.split(",")
    weights = tuple(int(part) for part in parts) if all(part.strip().isdecimal() for part in parts) else ()
    if not weights or list(weights) != sorted({*weights}) or weights[0] < 1 or weights[-1] != 100:
        raise click.BadParameter(f"{text!r}: rising percents that end with 100, like 1,5,25,50,100")
    return weights


@click.command("deploy")
@HOME
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=None,
    help="State directory of the app that runs (default: .shipworthy here).",
)
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="The Python that runs the new version, where its packages differ (default: this one).",
)
@click.option(
    "--weights",
    default="1,5,25,50,100",
    show_default=True,
    callback=_weights,
    help="Percent of the sessions it gets, step by step.",
)
@click.option(
    "--stage",
    "stage_s",
    default="30s",
    show_default=True,
    callback=some_seconds,
    help="How long each step lasts at least.",
)
@click.option(
    "--patience",
    "patience_s",
    default="30m",
    show_default=True,
    callback=some_seconds,
    help="How long a step may wait for its decision; then the version is taken back.",
)
@click.option(
    "--probe",
    "probes",
    multiple=True,
    help="A path, or an address with its host, to ask when visitors are few; may be repeated "
    "(default: the app's public pages).",
)
@click.option(
    "--page/--no-page",
    "pages",
    default=True,
    help="Call those whom [alerts] names when both versions fail; in a rehearsal nobody.",
)
@click.option("--json", "as_json", is_flag=True, help="The decision record as JSON, and nothing else.")
@backend_options
def command(
    home: Path | None,
    state: Path | None,
    python: Path | None,
    weights: tuple[int, ...],
    stage_s: float,
    patience_s: float,
    probes: tuple[str, ...],
    pages: bool,
    as_json: bool,
    **elsewhere: Any,
) -> None:
    """Replace the version that runs behind `shipworthy up --deployable`, step by step.

    Old and new run side by side; a fresh process of the old one is what the new one is compared with.
    It goes back by itself when it fails or is slower. Exit code 0: it serves; 1: it was taken back;
    2: a step failed, the old version serves; 3: it could not be decided and was taken back.

    \b
    Example:  shipworthy deploy
              shipworthy deploy --weights 5,25,100 --stage 2m
              shipworthy deploy --backend kubernetes --image registry.example/app:v7 --host app.example
    """
    import asyncio
    from functools import partial

    from shipworthy.cli.deployview import showing
    from shipworthy.cli.front import DELIVERY_FOLDER
    from shipworthy.cli.paging import ways_to_page
    from shipworthy.cli.project import STATE_FOLDER, load_project
    from shipworthy.delivery.fleet import Place
    from shipworthy.delivery.journeys import journeys_of, probes_of
    from shipworthy.delivery.plan import Plan
    from shipworthy.delivery.release import take
    from shipworthy.delivery.rollout import Rollout

    project = load_project(home)
    if elsewhere["backend"] != "local":
        tell(project, Elsewhere(**elsewhere), python=python, weights=weights)
        return
    place = Place((state or project.home / STATE_FOLDER).absolute() / DELIVERY_FOLDER)
    _require_front(place)
    ways = ways_to_page(project) if pages else {}
    release = take(
        project.home, into=place.releases, python=str(python.absolute()) if python else sys.executable
    )
    manifest = _manifest(release)
    plan = Plan(weights=weights, stage_s=stage_s, patience_s=patience_s, probes=probes or probes_of(manifest))
    with showing(quiet=as_json) as show:
        rollout = Rollout(
            place,
            release,
            plan,
            journeys=journeys_of(manifest),
            console_hosts=project.settings.app.hosts,
            expand=partial(_migrate, place, release, "pre"),
            contract=partial(_migrate, place, release, "post"),
            pages=ways,
            show=show,
            say=lambda sentence: click.echo(sentence, err=True),
        )
        outcome = asyncio.run(_until_told_to_stop(rollout))
    _forget_old_releases(place)
    _end(outcome, as_json=as_json)


def _require_front(place: Place) -> None:
    if not place.root.is_dir():
        raise click.UsageError(
            f"no app has run behind a front in {place.root.parent}. Start it with `shipworthy up --deployable`, "
            "then deploy; --state names another state directory."
        )


async def _until_told_to_stop(rollout: Rollout) -> Outcome:
    """Ctrl-C and SIGTERM take the version back in order."""
    import asyncio
    import signal

    running = asyncio.ensure_future(rollout.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        raise click.Abort from None


def _manifest(release: Release) -> Manifest:
    """Ask the new version itself what it declares."""
    import json
    import subprocess

    from shipworthy.contract.manifest import Manifest
    from shipworthy.contract.strict import decode
    from shipworthy.delivery.errors import StepFailed

    asked = subprocess.run(
        [release.python, "-m", "shipworthy", "describe", "--json"],
        cwd=release.folder,
        capture_output=True,
        text=True,
        timeout=_DESCRIBE_TIMEOUT_S,
        check=False,
    )
    if asked.returncode != 0:
        raise StepFailed("read what it declares", f"the new version does not describe itself. {asked.stderr.strip()[-400:]}")  # fmt: skip
    return decode(Manifest, json.loads(asked.stdout), source="the new version's manifest")


async def _migrate(place: Place, release: Release, phase: str) -> list[str]:
    """Apply the new version's migrations of one phase with the new version; return their names."""
    import asyncio
    import json

    from shipworthy.cli.front import ENVIRONMENT_FILE
    from shipworthy.delivery.errors import StepFailed

    environment = {**os.environ, **json.loads((place.root / ENVIRONMENT_FILE).read_text(encoding="utf-8"))}
    argv = [release.python, "-m", "shipworthy", "migrate", "up", "--phase", phase]
    running = await asyncio.create_subprocess_exec(
        *argv,
        cwd=release.folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await running.communicate()
    if running.returncode != 0:
        step = {"pre": "expand migrations", "post": "contract migrations"}[phase]
        raise StepFailed(step, err.decode(errors="replace").strip()[-400:] or f"migrate ended with {running.returncode}")  # fmt: skip
    words = (line.split() for line in out.decode(errors="replace").splitlines())
    return [word[1] for word in words if word[:1] == ["applied"]]


def _forget_old_releases(place: Place) -> None:
    """Keep what runs and the release before; the rest is in the app's history."""
    from shipworthy.delivery.fleet import Fleet, read
    from shipworthy.delivery.release import forget_all_but

    fleet = read(place.fleet, Fleet)
    if fleet is not None:
        newest = sorted(place.releases.glob("[!.]*"), key=lambda path: path.stat().st_mtime)[-_RELEASES_KEPT:]
        forget_all_but({m.release for m in fleet.members} | {p.name for p in newest}, into=place.releases)


def _end(outcome: Outcome, *, as_json: bool) -> NoReturn:
    from shipworthy.contract.verdict import ExitCode

    if as_json:
        click.echo((outcome.record / "decision.json").read_text(encoding="utf-8"))
    else:
        colour = {"promoted": "green", "rolled back": "red"}.get(outcome.decision, "yellow")
        click.echo(f"\n{click.style(outcome.decision, fg=colour, bold=True)}: {outcome.reason}")
        click.echo(f"record: {outcome.record / 'decision.md'}")
    codes = {"promoted": ExitCode.PASS, "rolled back": ExitCode.FAIL}
    sys.exit(codes.get(outcome.decision, ExitCode.INCONCLUSIVE))
