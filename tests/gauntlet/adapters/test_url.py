"""An instance that runs already: on this machine only, and only if it answers."""

from __future__ import annotations

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.url import running_already
from tests.support.ledger import Ledger


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


@pytest.mark.parametrize(
    "url", ["https://example.com", "http://10.0.0.8:8000", "http://127.0.0.1.example.com"]
)
async def test_another_machine_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(StartFailed, match="not on this machine"):
        async with running_already(at(url)):
            raise AssertionError("it went there")


async def test_silence_is_told() -> None:
    with pytest.raises(StartFailed, match="Nothing answers at http://127.0.0.1:9"):
        async with running_already(at("http://127.0.0.1:9")):
            raise AssertionError("nobody is there")
