"""`shipworthy slo`: how the objectives stand, the watch that alerts, and the same for Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.options import HOME, seconds, write_files

if TYPE_CHECKING:
    from shipworthy.cli.project import Project
    from shipworthy.contract.manifest import Slo
    from shipworthy.kernel.objectives.book import Book
    from shipworthy.kernel.objectives.reading import Reading

_SCRAPE_TIMEOUT_S = 5.0
_BURNS_S = (300, 3_600, 21_600, 259_200)
_BY = click.option("--by", required=True, help="Who says so.")


@click.group("slo", invoke_without_command=True)
@HOME
@click.option(
    "--prometheus",
    "rules_folder",
    type=click.Path(path_type=Path),
    default=None,
    help="Write alert rules, a Sloth file and a Grafana dashboard to this folder, and stop.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def command(ctx: click.Context, home: Path | None, rules_folder: Path | None, as_json: bool) -> None:
    """Show p50, p95 and p99 of each declared objective, what is left of its error budget, and how fast it burns.

    What is shown was kept by `shipworthy slo watch`. Exit code 1 while a budget burns too fast.

    \b
    Example:  shipworthy slo watch &
              shipworthy slo
              shipworthy slo --prometheus deploy/monitoring
    """
    ctx.obj = home
    if ctx.invoked_subcommand is not None:
        return
    from shipworthy.cli.project import load_project
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.objectives.book import read_book
    from shipworthy.kernel.objectives.history import History
    from shipworthy.kernel.objectives.reading import read_objectives

    project = load_project(home)
    if rules_folder is not None:
        _write_rules(project, rules_folder)
        return
    folder, now_s = _folder(project), utc_now().timestamp()
    readings = read_objectives(History(folder / "minutes.jsonl"), _slos(project), now_s=now_s)
    book = read_book(folder)
    if as_json:
        click.echo(_as_json(readings, book))
    else:
        _show(readings, book, now_s)
    raise SystemExit(ExitCode.FAIL if any(r.alerts for r in readings) else ExitCode.PASS)


@command.command("watch")
@click.option(
    "--metrics",
    "url",
    default=None,
    help="Where the app publishes its counters (default: http://127.0.0.1:PORT/-/metrics).",
)
@click.pass_obj
def watch(home: Path | None, url: str | None) -> None:
    """Look at the app's counters every quarter of a minute; tell by mail and webhook when a budget burns too fast.

    Whom to tell stands in [alerts] of app.toml; SHIPWORTHY_ALERTS_SECRET signs what is posted. Runs until Ctrl-C.

    \b
    Example:  shipworthy slo watch
              shipworthy slo watch --metrics http://127.0.0.1:8123/-/metrics
    """
    import asyncio

    from shipworthy.cli.paging import alerts_secret
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.objectives.declared import routes_by_objective
    from shipworthy.kernel.objectives.telling import Teller
    from shipworthy.kernel.objectives.watch import Watch
    from shipworthy.local.errors import file_errors_explained
    from shipworthy.local.statedir import DirectoryLock, StateDir

    project = load_project(home)
    address = url or f"http://127.0.0.1:{project.settings.http.port}/-/metrics"
    if not address.startswith(("http://", "https://")):
        raise click.UsageError(f"--metrics must begin with http://, not {address!r}")
    secret = alerts_secret(project)
    StateDir(_folder(project).parent).ensure()
    with file_errors_explained(_folder(project)):
        _folder(project).mkdir(mode=0o700, exist_ok=True)
    lock = DirectoryLock(_folder(project) / "watch.lock")
    slos = _slos(project)
    teller = Teller(project.settings, slos, secret=secret, now=utc_now)
    watching = Watch(
        _folder(project), slos, routes_by_objective(project.rooms), ways=teller.ways, tell=teller.tell
    )
    click.echo(
        f"watching {len(slos)} objectives at {address}; telling by {' and '.join(teller.ways) or 'nothing'}",
        err=True,
    )
    try:
        asyncio.run(_watch(watching, address))
    finally:
        lock.release()


@command.command("acknowledge")
@click.argument("alert")
@_BY
@click.pass_obj
def acknowledge(home: Path | None, alert: str, by: str) -> None:
    """Note that somebody looks after an alert; the first one stays.

    \b
    Example:  shipworthy slo acknowledge 5f0c19aa --by ada
    """
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.objectives.book import book_changed

    project = load_project(home)
    _require_watched(project)
    with book_changed(_folder(project)) as book:
        found = next((known for known in book.open if known.id == alert), None)
        if found is None:
            known = ", ".join(other.id for other in book.open) or "none"
            raise click.UsageError(f"there is no open alert {alert!r}. Open: {known}")
        if found.acknowledged_by:
            raise click.UsageError(f"{found.acknowledged_by} looks after {alert} already")
        found.acknowledged_by = by
    click.echo(f"{by} looks after {alert}")


@command.command("silence")
@click.argument("objective")
@click.option(
    "--for", "for_s", default="1h", show_default=True, callback=seconds, help="How long: 30m, 8h; 0 ends it."
)
@_BY
@click.option("--reason", required=True, help="Why.")
@click.pass_obj
def silence(home: Path | None, objective: str, for_s: float, by: str, reason: str) -> None:
    """Tell nobody of an objective's alerts for a while; they are opened and shown all the same.

    \b
    Example:  shipworthy slo silence login --for 2h --by ada --reason "moving the database"
    """
    from difflib import get_close_matches

    from shipworthy.cli.project import load_project
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.objectives.book import Silence, book_changed

    project = load_project(home)
    known = [slo.name for slo in _slos(project)]
    if objective not in known:
        near = get_close_matches(objective, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise click.UsageError(f"there is no objective {objective!r}; {hint}")
    _require_watched(project)
    with book_changed(_folder(project)) as book:
        book.silences[objective] = Silence(until_s=utc_now().timestamp() + for_s, by=by, reason=reason)
    click.echo(
        f"nobody is told of {objective} for {for_s / 60:g} minutes"
        if for_s
        else f"{objective} is told of again"
    )


async def _watch(watching: Any, address: str) -> None:
    import asyncio
    import signal

    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.objectives.watch import PERIOD_S

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    is_told = False
    while not stop.is_set():
        try:
            text = await asyncio.to_thread(_scraped, address)
            await watching.look(text, now_s=utc_now().timestamp())
            is_told = False
        except (OSError, ValueError) as failed:
            if not is_told:  # once, not four times a minute
                click.echo(f"{address} could not be read, trying on: {failed}", err=True)
            is_told = True
        try:
            await asyncio.wait_for(stop.wait(), PERIOD_S)
        except TimeoutError:
            continue


def _scraped(address: str) -> str:
    import urllib.request

    with urllib.request.urlopen(address, timeout=_SCRAPE_TIMEOUT_S) as answer:  # noqa: S310 - http(s) only, see watch
        text: bytes = answer.read()
    return text.decode("utf-8")


def _folder(project: Project) -> Path:
    from shipworthy.cli.project import STATE_FOLDER
    from shipworthy.kernel.objectives.board import FOLDER

    return project.home / STATE_FOLDER / FOLDER


def _require_watched(project: Project) -> None:
    if not _folder(project).is_dir():
        raise click.UsageError("nobody watches this app yet: shipworthy slo watch")


def _slos(project: Project) -> tuple[Slo, ...]:
    from shipworthy.kernel.objectives.declared import objectives_of

    return objectives_of(project.rooms, project.settings)


def _write_rules(project: Project, folder: Path) -> None:
    from shipworthy.kernel.objectives.declared import routes_by_objective
    from shipworthy.kernel.objectives.prometheus import files_for

    files = files_for(project.settings.app.name, _slos(project), routes_by_objective(project.rooms))
    write_files(files, folder, what="rules")


def _as_json(readings: list[Reading], book: Book) -> str:
    import json
    from dataclasses import asdict

    return json.dumps(
        {
            "objectives": [asdict(reading) for reading in readings],
            "alerts": [asdict(alert) for alert in book.open],
            "silences": {name: asdict(silence) for name, silence in book.silences.items()},
        },
        default=str,
    ).replace("Infinity", "null")


def _show(readings: list[Reading], book: Book, now_s: float) -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    def moment(at_s: float) -> str:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"

    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in (
        "objective",
        "promised",
        "in 1 h",
        "p50",
        "p95",
        "p99",
        "budget left",
        "burn 5m",
        "1h",
        "6h",
        "3d",
        "",
    ):
        table.add_column(head, justify="left" if head in ("objective", "promised", "") else "right")
    for r in readings:
        is_known = r.budget_requests > 0
        state = "[red]burns[/]" if r.alerts else "[green]holds[/]" if is_known else "[dim]no requests[/]"
        table.add_row(
            r.title,
            f"{r.quantile:.0%} in {r.threshold_ms:g} ms",
            f"{r.requests:,}",
            *(_ms(value) for value in (r.p50_ms, r.p95_ms, r.p99_ms)),
            f"{r.budget_left:.0%}" if is_known else "-",
            *(f"{r.burn[window_s]:.1f}" for window_s in _BURNS_S),
            state,
        )
    console = Console()
    console.print(table)
    for alert in book.open:
        by = f", {alert.acknowledged_by} looks after it" if alert.acknowledged_by else ""
        console.print(f"\n[red]alert[/] {alert.id}  {alert.objective}, {alert.rule}, since {moment(alert.opened_s)}{by}", highlight=False)  # fmt: skip
    for name, silence in book.silences.items():
        if silence.until_s > now_s:
            console.print(f"[dim]quiet[/] {name} until {moment(silence.until_s)}: {silence.reason} ({silence.by})", highlight=False)  # fmt: skip


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:g} ms" if value != float("inf") else "> 10 s"
