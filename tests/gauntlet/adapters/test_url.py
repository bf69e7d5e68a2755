"""An instance that runs already: here if it answers, elsewhere if its owner says so, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.url import running_already
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.ownership import PATH, proof_line
from tests.support.ledger import Ledger
from tests.support.strange_server import strange_server


def at(url: str) -> Target:
    return Target(
        name="A", kind="url", manifest=Manifest(app="A"), url=url, database="postgresql://app@127.0.0.1/a"
    )


async def test_one_that_answers_is_taken_as_it_is(ledger: Ledger) -> None:
    base_url = ledger.instance.handle.base_url
    async with running_already(at(base_url)) as instance:
        assert instance.handle.base_url == base_url
        assert (instance.handle.started_in_s, instance.handle.pid) == (None, None)
        assert instance.handle.database_urls == {"app": "postgresql://app@127.0.0.1/a"}


async def test_another_machine_is_refused_until_it_proves_its_owners_wish_and_is_then_asked_at_a_pace() -> (
    None
):
    async def here(_host: str, _port: int) -> str:
        return "127.0.0.1"

    async with strange_server() as server:
        port = server.base_url.rpartition(":")[2]
        target = at(f"http://shop.sample.example:{port}")
        with pytest.raises(StartFailed, match="not on this machine"):
            async with running_already(target, resolve=here, key=b"k"):
                raise AssertionError("it went there")
        assert server.asked == [f"GET {PATH} HTTP/1.1"]
        until = datetime.now(UTC).date() + timedelta(days=1)
        server.extra[PATH] = proof_line(f"shop.sample.example:{port}", until=until, key=b"k").encode()
        async with running_already(target, resolve=here, key=b"k") as instance:
            assert instance.handle.addresses == {"shop.sample.example": "127.0.0.1"}
            exam = Exam(target, instance)
            assert exam.turns is not None
            assert not exam.can("any_rate")
            assert (await exam.anonymous().get("/")).status == 200
            await exam.close()
            assert instance.died() == ""
            await server.stop_listening()
            assert "Nobody listens" in instance.died()


async def test_silence_is_told() -> None:
    with pytest.raises(StartFailed, match="Nothing answers at http://127.0.0.1:9"):
        async with running_already(at("http://127.0.0.1:9")):
            raise AssertionError("nobody is there")
