"""`shipworthy load`: offer the declared journeys to an app, in one process or in shards."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.gauntlet import target_of
from shipworthy.cli.options import HOME, TARGET, some_seconds

if TYPE_CHECKING:
    from shipworthy.contract.target import Target
    from shipworthy.gauntlet.alone import Wish
    from shipworthy.gauntlet.exam import Instance
    from shipworthy.gauntlet.load.result import LoadResult
    from shipworthy.gauntlet.report.terminal import LiveView


@click.group("load")
def command() -> None:
    """Offer load to an app: its journeys, open-loop, judged against their objectives.

    \b
    Example:  shipworthy load run --rate 200 --for 2m
              shipworthy load run --shard 0/2 --out a.json & shipworthy load run --shard 1/2 --out b.json
              shipworthy load merge a.json b.json
    """


def _shard(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if not found or int(found[1]) >= int(found[2]):
        raise click.BadParameter(f"{text!r} is not a shard like 0/2: the first of two is 0/2, the other 1/2")
    return int(found[1]), int(found[2])


@command.command("run")
@TARGET
@HOME
@click.option(
    "--handle",
    "handle_file",
    type=click.Path(path_type=Path),
    default=None,
    help="An app that runs: what `shipworthy up --handle FILE` wrote. Without it, one is started.",
)
@click.option("--journey", "journeys", multiple=True, help="Only this journey; may be repeated.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Arrivals a second, of all journeys together (default: as declared).",
)
@click.option(
    "--for",
    "for_s",
    default="72s",
    show_default=True,
    callback=some_seconds,
    help="How long it is measured: 30s, 2m.",
)
@click.option(
    "--shape",
    type=click.Choice(["poisson", "fixed", "ramp", "spike"]),
    default="poisson",
    show_default=True,
    help="How the rate goes over time.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=None,
    help="Other arrivals; the same seed gives the same ones.",
)
@click.option(
    "--shard",
    default="0/1",
    callback=_shard,
    help="Offer every n-th arrival only: 0/2 and 1/2 are the whole.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Write the whole result to this file, as JSON.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON instead of the table.")  # fmt: skip
def run(
    target: Path | None, home: Path | None, handle_file: Path | None, journeys: tuple[str, ...], rate: float | None, for_s: float,
    shape: str, seed: int | None, shard: tuple[int, int], out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Offer the load and say what came of it. Exit codes as of the gauntlet; a shard is not judged alone.

    \b
    Example:  shipworthy load run --journey login --rate 40 --for 1m
    """
    import asyncio

    from shipworthy.contract.verdict import ExitCode
    from shipworthy.gauntlet.adapters.instance import StartFailed
    from shipworthy.gauntlet.alone import Wish
    from shipworthy.gauntlet.check import Undecided
    from shipworthy.gauntlet.load.arrivals import Shape
    from shipworthy.gauntlet.load.plan import PlanRefused
    from shipworthy.gauntlet.probes.under_load import SEED

    found = target_of(target, home)
    wish = Wish(
        journeys=journeys,
        rate_per_s=rate,
        duration_s=for_s,
        shape=Shape(kind=shape),  # type: ignore[arg-type]
        seed=SEED if seed is None else seed,
        shard=shard,
    )
    try:
        result = asyncio.run(_offered(found, handle_file, wish, quietly=as_json))
    except PlanRefused as refused:
        raise click.UsageError(str(refused)) from None
    except (StartFailed, Undecided) as failed:
        click.echo(f"Error: {failed}", err=True)
        raise click.exceptions.Exit(ExitCode.INVALID_RUN) from None
    _conclude(result, out, as_json)


@command.command("merge")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Write the whole result to this file, as JSON.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON instead of the table.")  # fmt: skip
def merge(files: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Make one result of the shards of a load, and judge it.

    \b
    Example:  shipworthy load merge a.json b.json
    """
    from shipworthy.gauntlet.load.shards import NotShards
    from shipworthy.gauntlet.load.shards import merge as merged

    try:
        result = merged([_read(file) for file in files])
    except NotShards as not_shards:
        raise click.UsageError(str(not_shards)) from None
    _conclude(result, out, as_json)


async def _offered(target: Target, handle_file: Path | None, wish: Wish, *, quietly: bool) -> LoadResult:
    from shipworthy.cli.handles import Running
    from shipworthy.gauntlet.alone import offer_alone

    with shown(target, "load", quietly=quietly) as view:
        if handle_file is not None:
            return await offer_alone(target, Running(handle_file), wish, view)
        async with started_for(target) as instance:
            return await offer_alone(target, instance, wish, view)


@contextmanager
def shown(target: Target, label: str, *, quietly: bool) -> Iterator[LiveView]:
    """Show on the terminal, unless `quietly`, what a load by itself is about."""
    from rich.console import Console

    from shipworthy.gauntlet.report.terminal import LiveView

    slos = {slo.name: slo.threshold_ms for slo in target.manifest.slos}
    thresholds_ms = {j.name: slos[j.slo] for j in target.manifest.journeys if j.slo in slos}
    console = Console(stderr=True, quiet=quietly)
    with LiveView(target=target.name, label=label, thresholds_ms=thresholds_ms, console=console) as view:
        view.stage(label)
        yield view


@asynccontextmanager
async def started_for(target: Target) -> AsyncIterator[Instance]:
    """Run the target in a scratch folder until the block ends. Errors: StartFailed."""
    import shutil

    from shipworthy.gauntlet.adapters.start import started
    from shipworthy.gauntlet.run import scratch_directory

    scratch = scratch_directory()
    try:
        async with started(target, scratch) as instance:
            yield instance
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _conclude(result: LoadResult, out: Path | None, as_json: bool) -> None:
    import json

    from rich.console import Console

    from shipworthy.contract.strict import encode
    from shipworthy.gauntlet.report.load_summary import exit_code_of, print_load

    whole: dict[str, Any] = encode(result)
    if out is not None:
        try:
            out.write_text(json.dumps(whole), encoding="utf-8")
        except OSError as failed:
            raise click.ClickException(f"{out} could not be written: {failed.strerror}") from failed
    if as_json:
        click.echo(json.dumps(whole))
    else:
        print_load(result, Console())
    raise click.exceptions.Exit(exit_code_of(result))


def _read(file: Path) -> LoadResult:
    import json

    from shipworthy.contract.strict import decode
    from shipworthy.gauntlet.load.result import LoadResult

    try:
        text = file.read_text(encoding="utf-8")
        return decode(LoadResult, json.loads(text), source=file.name, text=text)
    except OSError as failed:
        raise click.UsageError(f"{file} cannot be read: {failed.strerror}") from failed
    except ValueError as broken:
        raise click.UsageError(f"{file} is no result of a load: {broken}") from broken
