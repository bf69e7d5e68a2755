"""`shipworthy gauntlet compare`: two versions at once, and whether the second is worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli.options import HOME, TARGET, some_seconds

if TYPE_CHECKING:
    from shipworthy.contract.target import Target
    from shipworthy.gauntlet.compare import Comparison


@click.command("compare")
@click.argument("base")
@click.argument("head")
@TARGET
@HOME
@click.option(
    "--for",
    "for_s",
    default="5m",
    show_default=True,
    callback=some_seconds,
    help="How long it is measured: 2m, 15m. A change of 10 % wants about 14 minutes.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Arrivals a second to each version, of all journeys together (default: as declared).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of the table.")
def command(
    base: str,
    head: str,
    target: Path | None,
    home: Path | None,
    for_s: float,
    rate: float | None,
    as_json: bool,
) -> None:
    """Offer BASE and HEAD the same arrivals at the same time, and say whether HEAD is slower or fails more.

    Each is a commit or branch of the app's repository, a folder with the app, or the address of an
    instance that runs. Exit codes: 0 no worse, 1 worse, 2 usage, 3 undecided, 4 no valid run.

    \b
    Example:  shipworthy gauntlet compare main .
              shipworthy gauntlet compare v1.4 v1.5 --for 15m
              shipworthy gauntlet compare http://127.0.0.1:8001 http://127.0.0.1:8002 --target gauntlet.toml
    """
    import asyncio
    import tempfile

    from rich.console import Console

    from shipworthy.contract.verdict import ExitCode
    from shipworthy.gauntlet.adapters.instance import StartFailed
    from shipworthy.gauntlet.check import Undecided
    from shipworthy.gauntlet.load.plan import PlanRefused
    from shipworthy.gauntlet.report.comparison import (
        comparison_document,
        exit_code_of_comparison,
        print_comparison,
    )

    console = Console(stderr=as_json)
    try:
        with tempfile.TemporaryDirectory(prefix="shipworthy-compare-") as scratch:
            sides = [
                _side(said, target, home, Path(scratch) / name)
                for said, name in ((base, "base"), (head, "head"))
            ]
            found = asyncio.run(_compared(sides, (base, head), for_s, rate, console))
    except PlanRefused as refused:
        raise click.UsageError(str(refused)) from None
    except (StartFailed, Undecided) as failed:
        click.echo(f"Error: {failed}", err=True)
        raise click.exceptions.Exit(ExitCode.INVALID_RUN) from None
    if as_json:
        import json

        click.echo(json.dumps(comparison_document(found)))
    else:
        print_comparison(found, console)
    raise click.exceptions.Exit(exit_code_of_comparison(found))


async def _compared(
    sides: list[Target], names: tuple[str, str], for_s: float, rate: float | None, console: object
) -> Comparison:
    from shipworthy.gauntlet.compare import compared
    from shipworthy.gauntlet.report.terminal import LiveView

    with LiveView(target=sides[0].name, label="compare", thresholds_ms={}, console=console) as view:  # type: ignore[arg-type]
        view.stage("load")
        return await compared(sides[0], sides[1], names=names, for_s=for_s, rate_per_s=rate, view=view)


def _side(said: str, target: Path | None, home: Path | None, scratch: Path) -> Target:
    """Return what an argument means: an address, a folder, or a commit. Errors: UsageError; CheckoutFailed."""
    from dataclasses import replace

    from shipworthy.cli.gauntlet import target_of
    from shipworthy.local.checkout import check_out

    if said.startswith(("http://", "https://")):
        return replace(target_of(target, home), kind="url", url=said.rstrip("/"), start=None)
    here = target.parent if target else (home or Path.cwd())
    name = target.name if target else ""
    if Path(said).is_dir():
        return _in(Path(said), name)
    return _in(check_out(here.resolve(), said, into=scratch).folder, name)


def _in(folder: Path, file: str) -> Target:
    from shipworthy.cli.gauntlet import target_of
    from shipworthy.gauntlet.targetfile import TARGET_FILE

    named = folder / (file or TARGET_FILE)
    if file or (named.is_file() and not (folder / "app.toml").is_file()):
        return target_of(named, None)
    return target_of(None, folder)
