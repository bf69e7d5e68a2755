"""What an app costs: the CPU of its own processes, the bytes of its rows, and why it cannot be told."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from shipworthy.contract.manifest import Journey, Manifest, Slo, Step
from shipworthy.contract.target import Handle, Process, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.costs import ROWS_MIN, costs_of
from shipworthy.gauntlet.load.plan import PlanRefused
from tests.support.ledger import Ledger

PAGE = Journey(name="page", slo="page", rate_per_s=99, login=False, steps=(Step(method="GET", path="/"),))
SLO = Slo(name="page", quantile=0.95, threshold_ms=1000.0)
US = (Process(name="web", pid=os.getpid()),)  # the ledger is served by this very process


def journeyed(ledger: Ledger, *journeys: Journey) -> Target:
    return replace(ledger.target, manifest=replace(ledger.target.manifest, slos=(SLO,), journeys=journeys))


async def test_each_journey_each_process_and_each_larger_table_is_told(ledger: Ledger) -> None:
    handle = replace(ledger.instance.handle, processes=US)
    found = await costs_of(journeyed(ledger, PAGE), StartedInstance(handle, None), seconds=3.0)
    (page,) = found.journeys
    assert (page.journey, set(page.cpu_ms)) == ("page", {"web"})
    assert page.requests > 10 and page.failed == page.requests, "there is no page at /, and that is said"
    assert found.memory_bytes["web"] > 1_000_000
    rows = {row.table: row for row in found.rows}
    ((counted, size),) = await ledger.admin("select count(*), pg_total_relation_size('book') from book")
    assert rows["book"].rows == counted >= ROWS_MIN
    assert rows["book"].bytes == pytest.approx(size / counted, rel=0.05)
    assert all(row.rows >= ROWS_MIN for row in found.rows)


async def test_without_a_process_or_a_journey_nothing_can_be_told(ledger: Ledger) -> None:
    with pytest.raises(Unmeasurable, match="No process of the app is known"):
        await costs_of(journeyed(ledger, PAGE), ledger.instance, seconds=3.0)
    bare = StartedInstance(Handle(base_url="http://127.0.0.1:9", processes=US), None)
    target = Target(name="A", kind="url", manifest=Manifest(app="A"), url="http://127.0.0.1:9")
    with pytest.raises(PlanRefused, match="declares no journey"):
        await costs_of(target, bare, seconds=3.0)
