"""What a load by itself prints, and its exit code."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from shipworthy.contract.verdict import ExitCode
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.report.load_summary import exit_code_of, print_load
from tests.gauntlet.load.servers import OK, answering, plan_of, serving


@pytest.fixture
async def result() -> LoadResult:
    async with serving(answering(OK)) as server:
        return await offer(replace(plan_of(server.url, rate_per_s=40.0), keeps_blocks=True))


def printed(result: LoadResult, *, columns: int = 140) -> str:
    out = io.StringIO()
    print_load(result, Console(file=out, width=columns))
    return out.getvalue()


async def test_it_shows_each_journey_and_how_the_generator_did(result: LoadResult) -> None:
    text = printed(result)
    for shown in (
        "visit",
        f"{result.journeys[0].requests:,}",
        "us of its CPU a request",
        f"Seed {result.seed}",
    ):
        assert shown in text
    assert "does not count" not in text
    assert "served p95" in text
    narrow = printed(result, columns=80)
    assert "served p95" not in narrow
    assert "…" not in narrow, "a number that is cut off is none"


async def test_exit_codes_are_those_of_the_gauntlet(result: LoadResult) -> None:
    assert exit_code_of(result) is ExitCode.INCONCLUSIVE, "half a second decides nothing"
    assert exit_code_of(replace(result, shard=(0, 2))) is ExitCode.PASS
    assert exit_code_of(replace(result, aborted="no sign-in")) is ExitCode.INVALID_RUN
    slow = replace(
        result.journeys[0],
        blocks=tuple(replace(b, exceedances=b.requests) for b in result.journeys[0].blocks) * 10,
    )
    assert exit_code_of(replace(result, journeys=(slow,))) is ExitCode.FAIL
    void = replace(slow, blocks=tuple(replace(b, void=True) for b in slow.blocks))
    late = replace(result, journeys=(void,))
    assert exit_code_of(late) is ExitCode.INVALID_RUN
    assert "does not count" in printed(late)


async def test_what_the_app_says_cannot_reach_the_terminal(result: LoadResult) -> None:
    evil = "\x1b[2J[red]boo"
    broken = replace(result.journeys[0], failures={"status_500": 3}, samples={"status_500": evil})
    text = printed(replace(result, journeys=(broken,), name=evil))
    assert "\x1b" not in text
    assert "[red]boo" in text
