"""Real versions behind a real front: a bad one goes back, a good one comes, and nobody's request is dropped.

Covers: rollout, keeper, helm, hearing, envoy, stats, probes, record, plan, errors, pager.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.canary.fleet import kept
from benchmarks.canary.version import Version, token
from benchmarks.canary.visitors import visiting

from shipworthy.delivery import stats
from shipworthy.delivery.errors import FrontMissing, StepFailed
from shipworthy.delivery.fleet import WATCHED_S_MAX, Place, Status, read
from shipworthy.delivery.pager import Page, Unheard
from shipworthy.delivery.plan import Plan
from shipworthy.delivery.probes import target_of
from shipworthy.delivery.release import Release
from shipworthy.delivery.rollout import Rollout
from shipworthy.judge.canary import CanaryRule

# A promotion needs a minute of proof; here only its mechanics are of interest. Rollbacks are the product's own.
AT_ONCE = CanaryRule(promote_alpha=1.0, promote_requests_min=10)
PLAN = Plan(weights=(50, 100), stage_s=0.5, stage_requests_min=10, patience_s=60.0, rule=AT_ONCE)
RATE_PER_S = 80.0
DEADLINE_S = 60.0


def status(place: Place) -> Status:
    found = read(place.status, Status)
    assert found is not None
    return found


async def until(is_so, what: str) -> None:  # type: ignore[no-untyped-def]
    deadline_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.02)


async def test_a_dead_version_goes_back_and_a_good_one_comes_and_no_request_is_dropped(
    tmp_path: Path,
) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1) as visitors,
    ):
        bad = await fleet.deploy(Version("v2", "dead"), PLAN)
        assert bad.decision == "rolled back"
        assert bad.judged_requests <= 40
        assert bad.weight_zero_s is not None
        assert visitors.answers["v2"] > 0
        after = visitors.answers["v2"]
        good = await fleet.deploy(Version("v3", errors=0.0), PLAN)
        assert good.decision == "promoted", good.reason
        assert visitors.answers["v2"] == after
        old = visitors.answers["v1"]
        await until(lambda: visitors.answers["v3"] > 200, "the new version serves")
        assert visitors.answers["v1"] == old
        assert visitors.dropped == []
        assert list(status(fleet.place).members) == [status(fleet.place).fleet.stable]
    document = json.loads((bad.record / "decision.json").read_text())
    assert (document["decision"], document["release"], document["previous"]) == ("rolled back", "v2", "v1")
    assert document["tenants_failed"]
    assert {journey["canary"]["requests"] for journey in document["journeys"].values()} != {0}
    evidence = [json.loads(line) for line in (bad.record / "evidence.jsonl").read_text().splitlines()]
    assert {one["arm"] for one in evidence} == {"canary", "baseline"}
    assert "canary requests failed" in (bad.record / "decision.md").read_text()


async def test_sessions_stay_with_their_version(tmp_path: Path) -> None:
    async with kept(tmp_path, Version("v1", errors=0.0)) as fleet:
        deploying = asyncio.create_task(fleet.deploy(Version("v2", errors=0.0), PLAN_OF_FIFTY))
        await until(lambda: fleet.place.status.exists() and status(fleet.place).weight == 50, "half of them")
        answers: dict[int, set[str]] = {}
        for _ in range(2):
            told = await asyncio.gather(
                *(version_of(fleet.port, token(number, "t1")) for number in range(40))
            )
            for number, version in enumerate(told):
                answers.setdefault(number, set()).add(version)
        deploying.cancel()
        await asyncio.gather(deploying, return_exceptions=True)
        assert all(len(versions) == 1 for versions in answers.values())
        assert {version for versions in answers.values() for version in versions} == {"v1", "v2"}
        assert await version_of(fleet.port, token(1, "t1")) == "v1"


PLAN_OF_FIFTY = Plan(weights=(50, 100), stage_s=300.0)


async def version_of(port: int, cookie: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /page/x HTTP/1.1\r\nHost: localhost\r\nCookie: sid={cookie}\r\nConnection: close\r\n\r\n".encode()
    )
    answer = (await reader.read()).decode().lower()
    writer.close()
    assert "x-shipworthy-tenant" not in answer
    return answer.partition("x-version: ")[2].split("\r\n")[0]


@pytest.mark.parametrize(
    ("fault", "words"), [("crash", "no such table: invoice_line"), ("mute", "not ready")]
)
async def test_a_version_that_never_comes_up_changes_nothing(tmp_path: Path, fault: str, words: str) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1) as visitors,
    ):
        plan = Plan(start_timeout_s=1.5)
        with pytest.raises(StepFailed, match="start canary and baseline") as failed:
            await fleet.deploy(Version("v2", fault), plan)
        assert words in str(failed.value)
        served = visitors.answers["v1"]
        await until(lambda: visitors.answers["v1"] > served + 50, "the old version serves")
        assert visitors.dropped == []
        assert len(status(fleet.place).members) == 1


async def test_a_deploy_killed_twice_leaves_the_old_version_serving_and_is_continued(tmp_path: Path) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1) as visitors,
    ):
        fleet.versions["v2"] = Version("v2", errors=0.0)
        for _ in range(2):
            deploy = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.delivery.half_way", str(fleet.place.root), "v2",
                stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            await until(lambda: status(fleet.place).weight == 50, "half of the sessions")
            deploy.send_signal(signal.SIGKILL)
            await deploy.wait()
            long_ago = time.time() - WATCHED_S_MAX - 1
            os.utime(fleet.place.watched, (long_ago, long_ago))
            await until(lambda: status(fleet.place).weight == 0, "nobody watches: no traffic")
        outcome = await fleet.deploy(Version("v2", errors=0.0), PLAN)
        assert outcome.decision == "promoted", outcome.reason
        assert any("broken off at step 'weight 50 %'" in said for said in fleet.said)
        assert visitors.dropped == []


async def test_torn_files_are_put_aside_and_the_next_deploy_goes_on(tmp_path: Path) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1) as visitors,
    ):
        fleet.place.fleet.write_text('{"serial": 1, "mem')
        fleet.place.progress.write_text("{")
        await until(lambda: status(fleet.place).torn, "the keeper says so")
        outcome = await fleet.deploy(Version("v2", errors=0.0), PLAN)
        assert outcome.decision == "promoted"
        assert sum("torn" in said for said in fleet.said) >= 2
        assert visitors.dropped == []
        assert (fleet.place.root / "fleet.json.torn").exists()


async def test_a_front_that_was_killed_comes_back_with_the_same_weights(tmp_path: Path) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1) as visitors,
    ):
        deploying = asyncio.create_task(fleet.deploy(Version("v2", errors=0.0), PLAN_OF_FIFTY))
        await until(lambda: status(fleet.place).weight == 50, "half of the sessions")
        os.kill(fleet.supervisor.pids["front"], signal.SIGKILL)
        before = visitors.answers["v2"]
        await until(lambda: visitors.answers["v2"] > before + 50, "the canary is asked again")
        deploying.cancel()
        await asyncio.gather(deploying, return_exceptions=True)
        assert status(fleet.place).weight == 0


async def test_when_the_old_version_fails_as_well_it_holds_asks_for_a_person_and_gives_up(
    tmp_path: Path,
) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.5)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1),
    ):
        # Half of everything fails on both, so once in a while one arm looks worse: not here.
        rule = replace(AT_ONCE, own_alpha=1e-9, worse_alpha=1e-9)
        plan = Plan(
            weights=(50, 100), stage_s=0.5, stage_requests_min=10, patience_s=5.0, page_again_s=0.2, rule=rule
        )
        calls: list[Page] = []

        async def webhook(page: Page) -> None:
            calls.append(page)
            if len(calls) == 1:
                raise Unheard("status 503")

        async def deaf(_page: Page) -> None:
            raise Unheard("no such host")

        rollout = fleet.rollout(Version("v2", errors=0.5), plan, pages={"webhook": webhook, "mail": deaf})
        outcome = await rollout.run()
        assert (outcome.decision, outcome.page) == ("undecided", True), outcome.reason
        assert "would not help" in outcome.reason
        assert sum("a person is needed (webhook and mail)" in said for said in fleet.said) == 1
    # Tried until it was heard, and then no more; a repeat is known by its id.
    assert len(calls) == 2 and calls[0] == calls[1]
    assert (calls[0].release, calls[0].previous, calls[0].weight) == ("v2", "v1", 50)
    document = json.loads((outcome.record / "decision.json").read_text())
    assert (document["page"], document["paged"]) == (True, ["webhook"])
    heard = [
        (event["what"], event["by"]) for event in document["events"] if event["what"].startswith("page ")
    ]
    assert heard.count(("page heard", "webhook")) == 1 and ("page unheard", "mail") in heard
    assert "A person was called (by webhook)" in (outcome.record / "decision.md").read_text()


async def test_a_canary_nobody_visits_is_probed_and_one_that_cannot_be_is_held(tmp_path: Path) -> None:
    async with kept(tmp_path, Version("v1", errors=0.0)) as fleet:
        probed = Plan(
            weights=(5, 100), stage_s=0.5, stage_requests_min=10, probes=("/page/home",), rule=AT_ONCE
        )
        assert (await fleet.deploy(Version("v2", errors=0.0), probed)).decision == "promoted"
        silent = Plan(weights=(5, 100), stage_s=0.5, patience_s=2.0, rule=AT_ONCE)
        outcome = await fleet.deploy(Version("v3", errors=0.0), silent)
        assert outcome.decision == "undecided"
        assert "0 of 50 requests" in outcome.reason


async def test_nothing_that_runs_is_nothing_to_replace(tmp_path: Path) -> None:
    rollout = Rollout(Place(tmp_path / "deploy"), Release(id="v2", folder=tmp_path, python=""), Plan())
    with pytest.raises(FrontMissing, match="up --deployable"):
        await rollout.run()
    assert await stats.ask(1) is None


async def test_a_front_that_is_gone_refuses_a_deploy_and_what_ran_goes_on(tmp_path: Path) -> None:
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1) as visitors,
    ):
        os.kill(fleet.supervisor.pids["front"], signal.SIGSTOP)
        try:
            await until(lambda: not status(fleet.place).front, "the keeper misses Envoy")
            with pytest.raises(StepFailed, match="'look at what runs': Envoy does not answer") as failed:
                await fleet.deploy(Version("v2", errors=0.0), PLAN)
            assert "front.log" in str(failed.value)
        finally:
            os.kill(fleet.supervisor.pids["front"], signal.SIGCONT)
        served = visitors.answers["v1"]
        await until(lambda: visitors.answers["v1"] > served + 50, "the old version serves")
        assert list(status(fleet.place).members) == ["web-1"]


async def test_contract_migrations_wait_for_the_old_version_to_be_gone(tmp_path: Path) -> None:
    ran: list[tuple[str, list[str]]] = []
    async with (
        kept(tmp_path, Version("v1", errors=0.0)) as fleet,
        visiting(fleet.port, rate_per_s=RATE_PER_S, seed=1),
    ):

        def migration(name: str):  # type: ignore[no-untyped-def]
            async def run() -> list[str]:
                ran.append((name, sorted(fleet.releases_that_run())))
                return [name]

            return run

        rollout = fleet.rollout(
            Version("v2", errors=0.0), PLAN, expand=migration("expand"), contract=migration("contract")
        )
        assert (await rollout.run()).decision == "promoted"
    assert ran == [("expand", ["v1"]), ("contract", ["v2"])]


def test_a_probe_is_a_path_or_an_address_with_a_host_of_its_own() -> None:
    assert target_of("/login?x=1", port=8000) == ("localhost:8000", "/login?x=1")
    assert target_of("http://acme.localhost:8000", port=8000) == ("acme.localhost:8000", "/")
