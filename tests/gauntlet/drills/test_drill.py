"""A drill on a small shop: a sound one degrades and recovers, and each defect is told by name.

Covers: writes, whole_app, sign_in, mail, mail_sink.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import httpx
import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.drills.drill import Drill, drilled
from shipworthy.gauntlet.drills.mail_sink import mail_sink
from shipworthy.gauntlet.drills.whole_app import DATABASE_KILLED, HANGS, THROTTLED, WEB_KILLED
from shipworthy.gauntlet.drills.writes import is_typed, keyed_route
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_running, shop_with_process
from tests.support.shop_app import GUS

HEALTH = Journey(
    name="health", slo="fast", rate_per_s=8.0, login=False,
    steps=(Step(method="GET", path="/health", expect=(200,)),),
)  # fmt: skip
FAST = Slo(name="fast", quantile=0.95, threshold_ms=3_000.0)
CHECK = check_named("drill.web_killed")
SHORT = replace(WEB_KILLED, steady_s=2.0, after_s=8.0)


async def drill(shop: Shop, declared: Drill, **changes: Any) -> Finding:
    exam = shop.exam(CHECK, **{"journeys": (HEALTH,), "slos": (FAST,), **changes})
    try:
        [found] = await drilled(exam, declared)
    finally:
        failed = await exam.heal()
        await exam.close()
    assert not failed
    return found


def measures(found: Finding) -> dict[str, float]:
    return {measure.name: measure.estimate for measure in found.measures}


async def test_a_killed_web_process_comes_back_and_every_key_is_there_once(cluster: PostgresAddress) -> None:
    async with shop_with_process(cluster, "web") as shop:
        found = await drill(shop, SHORT)
        keys = await shop.admin("select count(*) from orders where tenant_id = $1::uuid", GUS.tenant_id)
    assert found.verdict is Verdict.PASS, found
    said = measures(found)
    assert (said["lost"], said["doubled"], said["untyped errors"]) == (0, 0, 0)
    assert keys[0]["count"] > 5


@pytest.mark.parametrize(
    ("defect", "says"),
    [("forgets_the_answer", "not what was acknowledged"), ("takes_no_key", "rows too many")],
)
async def test_a_key_that_is_done_again_or_answered_otherwise_fails(
    cluster: PostgresAddress, defect: str, says: str
) -> None:
    async with shop_with_process(cluster, "web", defect) as shop:
        found = await drill(shop, SHORT)
    assert found.verdict is Verdict.FAIL
    assert says in found.cause


async def test_what_does_not_come_back_has_not_recovered(cluster: PostgresAddress) -> None:
    async with shop_running(cluster) as shop:

        async def nothing(_exam: Exam, _lease_s: float) -> str:
            return "nothing was broken"

        quiet = Drill(name="quiet", inflict=nothing, steady_s=1.0, fault_s=1.0, after_s=3.0)
        assert (await drill(shop, quiet)).verdict is Verdict.PASS
        missing = replace(
            HEALTH, name="missing", steps=(Step(method="GET", path="/nothing/here", expect=(200,)),)
        )
        with pytest.raises(Undecided, match="failed before anything was broken"):
            await drill(shop, quiet, journeys=(missing,))
        with pytest.raises(Undecided, match="No journey is declared"):
            await drill(shop, quiet, journeys=())


def test_later_is_a_status_that_says_when_and_a_crash_is_not() -> None:
    def answer(status: int, **headers: str) -> Answer:
        return Answer(status=status, headers=httpx.Headers(headers), body=b"", elapsed_ms=1.0)

    assert is_typed(answer(503, **{"retry-after": "5"}))
    assert not is_typed(answer(503))
    assert not is_typed(answer(500))
    assert is_typed(answer(429))


async def test_the_route_that_writes_is_the_one_that_creates_under_a_key(cluster: PostgresAddress) -> None:
    async with shop_running(cluster) as shop:
        exam = shop.exam(CHECK)
        route = keyed_route(exam)
        assert route is not None
        assert route.path == "/orders"
        await exam.close()


def test_every_declared_drill_outlasts_what_it_breaks_and_says_what_to_do() -> None:
    for declared in (THROTTLED, HANGS, DATABASE_KILLED, WEB_KILLED):
        assert declared.fix
        assert declared.after_s > 8
        assert (
            declared.load_s
            == declared.steady_s + (0 if declared.is_instant else declared.fault_s) + declared.after_s
        )


async def test_the_mail_server_counts_what_it_is_given() -> None:
    async with mail_sink() as sink:
        host, _, port = sink.address.partition(":")
        for number, to in enumerate(("ann@a.example", "bob@b.example", "ann@a.example")):
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "x@x.example", to, "s"
            message["Message-ID"] = f"<{number % 2}@x>"
            message.set_content("text\n.\nmore")
            await aiosmtplib.send(message, hostname=host, port=int(port), start_tls=False)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"NONSENSE\r\nDATA\r\nhalf a mail")
        assert await reader.readline() == b"220 examiner\r\n"
        writer.close()
    assert sink.delivered == {"ann@a.example": 2, "bob@b.example": 1}
    assert sink.message_ids == {b"<0@x>": 2, b"<1@x>": 1}
