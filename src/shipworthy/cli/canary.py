"""`shipworthy canary`: our judge for rollouts that somebody else drives, and the counters it asks for."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

import click

from shipworthy.cli.options import HOME, some_seconds

if TYPE_CHECKING:
    from shipworthy.cli.armcounts import ArmCounts
    from shipworthy.delivery.counted import Arm, Counted, CountedHearing
    from shipworthy.judge.canary import Decision

    Look = dict[Arm, list[Counted]]

_LOOK_S = 1.0  # the judge compares second by second


@click.group("canary")
def command() -> None:
    """Judge a new version beside the old one, where another system (Argo Rollouts, say) moves the traffic.

    \b
    Example:  shipworthy canary judge --canary http://canary:9102/-/metrics --baseline http://stable:9102/-/metrics
    """


@command.command("judge")
@click.option("--canary", "canary_urls", multiple=True, help="Where the new version publishes its counters; may be repeated. Every address of the name is asked.")  # fmt: skip
@click.option("--baseline", "baseline_urls", multiple=True, help="The same of the old version.")
@click.option("--counts", type=click.File("r", encoding="utf-8"), default=None, help="Judge these counts instead: a file of JSON lines, or - for standard input.")  # fmt: skip
@click.option(
    "--patience",
    "patience_s",
    default="30m",
    show_default=True,
    callback=some_seconds,
    help="How long to watch for a decision.",
)
@HOME
@click.option("--json", "as_json", is_flag=True, help="The verdict as one JSON object.")
def judge(
    canary_urls: tuple[str, ...],
    baseline_urls: tuple[str, ...],
    counts: IO[str] | None,
    patience_s: float,
    home: Path | None,
    as_json: bool,
) -> None:
    """Say promote, roll back or hold, by the rule that `shipworthy deploy` decides by (R4).

    Exit code 0: promote; 1: roll back; 2: usage; 3: not decided, because patience or counts ended. Counters are
    read by the objectives of the app in this folder. A line of --counts is one version and journey in one
    second: {"look": 0, "arm": "canary", "journey": "login", "requests": 9, "failed": 0, "slow": 1}.

    \b
    Example:  shipworthy canary judge --canary http://canary:9102/-/metrics --baseline http://stable:9102/-/metrics
              shipworthy canary judge --counts counts.jsonl --json
    """
    import asyncio

    from shipworthy.delivery.counted import CountedHearing

    if (counts is None) == (not (canary_urls or baseline_urls)):
        raise click.UsageError("give --canary and --baseline, or --counts")
    hearing = CountedHearing()
    if counts is not None:
        decision = _heard(hearing, counts)
    else:
        if not canary_urls or not baseline_urls:
            raise click.UsageError(
                "a canary is judged beside its baseline: give both --canary and --baseline"
            )
        for url in (*canary_urls, *baseline_urls):
            if not url.startswith(("http://", "https://")):
                raise click.UsageError(f"{url!r} must begin with http:// or https://")
        arms = _arms(home, canary_urls, baseline_urls)
        decision = asyncio.run(_watched(hearing, arms, patience_s=patience_s))
    _end(hearing, decision, as_json=as_json)


@command.command("expose")
@click.option("--of", "url", default="http://127.0.0.1:8000/-/metrics", show_default=True, help="The counters of a process here.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=9102, show_default=True, help="Port to listen on."
)
def expose(url: str, host: str, port: int) -> None:
    """Show a process's counters to others, and nothing else of it. Runs until SIGTERM.

    An app shows its counters to its own machine only. Beside it, in the same pod, this hands them on; who may
    reach the port is the network's to say.

    \b
    Example:  shipworthy canary expose --host 0.0.0.0
    """
    import asyncio

    from shipworthy.cli.counters import exposed

    if not url.startswith("http://"):
        raise click.UsageError(f"--of must begin with http://, not {url!r}")
    asyncio.run(exposed(url, host, port, say=lambda line: click.echo(line, err=True)))


def _heard(hearing: CountedHearing, lines: Iterable[str]) -> Decision:
    """Judge counts that are there already; the first decision that ends a rollout ends it here, too."""
    import json

    from shipworthy.delivery.counted import looks_of
    from shipworthy.judge.canary import Action

    number = 0

    def told() -> Iterable[dict[str, object]]:
        nonlocal number
        for line in lines:
            number += 1
            if line.strip():
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ValueError("not an object")
                yield found

    try:
        for look in looks_of(told()):
            if (decision := hearing.hear(look)).action is not Action.HOLD:
                return decision
    except ValueError as wrong:
        raise click.UsageError(f"--counts, line {number}: {wrong}") from None
    return hearing.decision


def _arms(
    home: Path | None, canary_urls: tuple[str, ...], baseline_urls: tuple[str, ...]
) -> dict[Arm, ArmCounts]:
    from shipworthy.cli.armcounts import ArmCounts, declared_by
    from shipworthy.cli.project import load_project

    project = load_project(home)
    declared = declared_by(project.rooms, project.settings)
    return {
        "canary": ArmCounts(urls=canary_urls, declared=declared),
        "baseline": ArmCounts(urls=baseline_urls, declared=declared),
    }


async def _watched(hearing: CountedHearing, arms: dict[Arm, ArmCounts], *, patience_s: float) -> Decision:
    from shipworthy.judge.canary import Action

    async for look in _looks(arms, patience_s=patience_s):
        if (decision := hearing.hear(look)).action is not Action.HOLD:
            return decision
    return hearing.decision


async def _looks(arms: dict[Arm, ArmCounts], *, patience_s: float) -> AsyncIterator[Look]:
    import asyncio
    import time

    until_s, next_s, silent = time.monotonic() + patience_s, time.monotonic(), ""
    while time.monotonic() < until_s:
        found = await asyncio.gather(*(counts.look() for counts in arms.values()))
        told = " and ".join(arm for arm, counts in arms.items() if not counts.heard)
        if told and told != silent:
            click.echo(f"no answer from {told}; watching on", err=True)
        silent = told
        yield dict(zip(arms, found, strict=True))
        next_s = max(next_s + _LOOK_S, time.monotonic())
        await asyncio.sleep(next_s - time.monotonic())


def _end(hearing: CountedHearing, decision: Decision, *, as_json: bool) -> NoReturn:
    import json

    from shipworthy.contract.verdict import ExitCode
    from shipworthy.judge.canary import Action

    word = {Action.PROMOTE: "promote", Action.ROLLBACK: "roll back", Action.HOLD: "hold"}[decision.action]
    if as_json:
        facts = {
            "decision": word,
            "reason": decision.reason,
            "page": decision.page,
            "looks": hearing.looks,
            "requests": dict(hearing.requests),
        }
        click.echo(json.dumps(facts))
    else:
        page = " A person is needed: the old version fails as well." if decision.page else ""
        click.echo(f"{word}: {decision.reason}{page}")
    codes = {Action.PROMOTE: ExitCode.PASS, Action.ROLLBACK: ExitCode.FAIL}
    sys.exit(codes.get(decision.action, ExitCode.INCONCLUSIVE))
