"""`shipworthy capacity`: what one request and one row cost here, and what a target load takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli.gauntlet import target_of
from shipworthy.cli.load import shown, started_for
from shipworthy.cli.options import HOME, TARGET, some_seconds

if TYPE_CHECKING:
    from shipworthy.contract.target import Target
    from shipworthy.gauntlet.costs import Costs
    from shipworthy.judge.capacity import Needs

_PER_WEB, _BESIDE = 2, 8  # connections: past the pool of each web; of a worker and who looks in
_GIB, _MIB = 2**30, 2**20


@click.command("capacity")
@TARGET
@HOME
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="JOURNEY=N",
    help="Plan for N a second of a journey; may be repeated (default: as declared).",
)
@click.option(
    "--rows",
    "rows",
    multiple=True,
    metavar="TABLE=N",
    help="Plan for N rows kept in a table; may be repeated.",
)
@click.option(
    "--for",
    "for_s",
    default="18s",
    show_default=True,
    callback=some_seconds,
    help="How long each journey is measured.",
)
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    target: Path | None, home: Path | None, rates: tuple[str, ...], rows: tuple[str, ...], for_s: float,
    write: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Start the app, measure what each journey and each row costs, and do the arithmetic for a target load.

    \b
    Example:  shipworthy capacity
              shipworthy capacity --rate login=20 --rate page=400 --rows invoice=5000000 --write capacity.md
    """
    import asyncio

    from shipworthy.contract.verdict import ExitCode
    from shipworthy.gauntlet.adapters.instance import StartFailed
    from shipworthy.gauntlet.check import Undecided
    from shipworthy.gauntlet.load.plan import PlanRefused

    found = target_of(target, home)
    wished, kept = _numbers(rates, "--rate"), _numbers(rows, "--rows")
    declared = {journey.name: journey.rate_per_s for journey in found.manifest.journeys}
    if unknown := wished.keys() - declared.keys():
        raise click.UsageError(
            f"there is no journey {sorted(unknown)[0]!r}; declared: {', '.join(declared) or 'none'}"
        )
    try:
        costs = asyncio.run(_measured(found, for_s, quietly=as_json))
    except PlanRefused as refused:
        raise click.UsageError(str(refused)) from None
    except (StartFailed, Undecided) as failed:
        click.echo(f"Error: {failed}", err=True)
        raise click.exceptions.Exit(ExitCode.INVALID_RUN) from None
    if unmeasured := kept.keys() - {row.table for row in costs.rows}:
        raise click.UsageError(
            f"what a row of {sorted(unmeasured)[0]!r} takes was not measured; "
            f"measured: {', '.join(row.table for row in costs.rows) or 'none'}"
        )
    goal = wished or declared
    plan = _needs(costs, goal, kept, connections_a_web=_pool_size(found))
    _say(found.name, costs, plan, goal, kept, write=write, as_json=as_json)


def _numbers(said: tuple[str, ...], option: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in said:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise click.UsageError(f"{option} wants NAME=NUMBER, not {text!r}") from None
        if not name.strip() or not 0 <= found[name.strip()] < float("inf"):
            raise click.UsageError(f"{option} wants NAME=NUMBER, not {text!r}")
    return found


def _pool_size(target: Target) -> int:
    """What a web process holds open: our app's own setting; a stranger's is not known."""
    from shipworthy.cli.project import load_project

    folder = Path(target.folder)
    return load_project(folder).settings.db.pool_size if (folder / "app.toml").is_file() else 0


async def _measured(target: Target, seconds: float, *, quietly: bool) -> Costs:
    from shipworthy.gauntlet.costs import costs_of

    with shown(target, "capacity", quietly=quietly) as view:
        async with started_for(target) as instance:
            return await costs_of(target, instance, seconds=seconds, view=view)


def _needs(costs: Costs, goal: dict[str, float], kept: dict[str, float], *, connections_a_web: int) -> Needs:
    from shipworthy.judge.capacity import needs

    return needs(
        goal,
        cpu_ms={journey.journey: journey.cpu_ms for journey in costs.journeys},
        idle_cores=costs.idle_cores,
        memory_bytes=costs.memory_bytes,
        connections_per_web=connections_a_web + _PER_WEB if connections_a_web else 0,
        connections_beside=_BESIDE if connections_a_web else 0,
        rows=kept,
        bytes_per_row={row.table: row.bytes for row in costs.rows},
    )


def _say(
    name: str,
    costs: Costs,
    plan: Needs,
    goal: dict[str, float],
    kept: dict[str, float],
    *,
    write: Path | None,
    as_json: bool,
) -> None:
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.markdown import Markdown

    text = _page(name, costs, plan, goal, kept)
    if write is not None:
        try:
            write.write_text(text, encoding="utf-8")
        except OSError as failed:
            raise click.ClickException(f"{write} could not be written: {failed.strerror}") from failed
    if as_json:
        click.echo(json.dumps({"goal": goal, "rows": kept, "costs": asdict(costs), "needs": asdict(plan)}))
    else:
        Console().print(Markdown(text))


def _page(name: str, costs: Costs, plan: Needs, goal: dict[str, float], kept: dict[str, float]) -> str:
    """Return the plan as Markdown: what is asked, what it takes, what was measured, how it was reckoned."""
    processes = sorted({process for journey in costs.journeys for process in journey.cpu_ms})
    asked = [f"{rate:g} {journey} a second" for journey, rate in goal.items()]
    asked += [f"{number:,.0f} rows of {table}" for table, number in kept.items()]
    takes = [
        ("cores", f"{plan.cores_in_all}", ", ".join(f"{p} {plan.cores[p]:.2f}" for p in processes) + " busy"),
        ("web processes", f"{plan.web_processes}", "one core each, at most four fifths busy"),
        (
            "memory",
            f"{plan.memory_bytes / _MIB:,.0f} MiB",
            "of the processes' own; the page cache comes on top",
        ),
    ]
    if plan.connections:
        takes.append(
            (
                "database connections",
                f"{plan.connections}",
                "pools of all web processes, a worker, and who looks in",
            )
        )
    if kept:
        takes.append(
            (
                "storage",
                f"{plan.storage_bytes / _GIB:,.1f} GiB",
                "rows with their indexes; twice that with backups",
            )
        )
    measured = [
        (
            j.journey,
            *(f"{j.cpu_ms.get(p, 0.0):.2f}" for p in processes),
            f"{sum(j.cpu_ms.values()):.2f}",
            f"{j.requests:,}" + (f", {j.failed:,} failed" if j.failed else ""),
        )
        for j in costs.journeys
    ]
    parts = [
        f"# Capacity of {name}",
        f"Planned for: {'; '.join(asked)}.",
        _table(("takes", "how much", "of which"), takes),
        "## What one request costs, ms of CPU",
        _table(("journey", *processes, "in all", "requests"), measured),
    ]
    if costs.rows:
        rows = [(row.table, f"{row.rows:,}", f"{row.bytes:,.0f}") for row in costs.rows]
        parts += [
            "## What a row takes, bytes with its indexes",
            _table(("table", "rows", "bytes a row"), rows),
        ]
    parts += [*costs.notes, _HOW]
    return "\n\n".join(parts) + "\n"


_HOW = """Each journey was offered alone, ten a second, to a fresh app with example data on this machine; what the processes do when
nobody asks was taken off. Cores are the rate times the cost, kept at most four fifths busy: above it the wait grows faster than the
load. It is arithmetic, not a proof: `shipworthy gauntlet --full` finds the largest rate that keeps every objective."""


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
