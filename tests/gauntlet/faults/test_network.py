"""network.*, mail.down and keys.expired: inflicted by name, healed with the check, refused without a way.

Covers: network, mail_down, keys_expired, catalogue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults import network
from shipworthy.gauntlet.faults.catalogue import FAULTS
from shipworthy.gauntlet.faults.keys_expired import expire_keys
from shipworthy.gauntlet.faults.mail_down import take_mail_down
from shipworthy.gauntlet.idp.stub import stub_running
from shipworthy.gauntlet.processid import state_of
from shipworthy.gauntlet.proxy.proxies import proxies_running
from shipworthy.kernel.describe import FAULTS_ALLOWED
from tests.gauntlet.faults.conftest import App
from tests.gauntlet.proxy.conftest import EchoServer, echoing, said_back

BARE = StartedInstance(Handle(base_url="http://127.0.0.1:1"), None)
TARGET = Target(name="A", kind="command", manifest=Manifest(app="A"))


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    async with echoing() as server:
        yield server


@pytest.fixture
async def exam(echo: EchoServer) -> AsyncIterator[Exam]:
    async with proxies_running() as proxies:
        await proxies.open("database", upstream=echo.address)
        await proxies.open("mail", upstream=echo.address)
        exam = Exam(TARGET, BARE, proxies=proxies)
        yield exam
        await exam.close()


@pytest.mark.parametrize("name", network.NAMES)
async def test_each_is_in_force_until_the_check_ends(exam: Exam, name: str) -> None:
    what = await FAULTS[name].inflict(exam, "database", 60)
    assert "database" in what
    assert len((await exam.proxy("database").state()).toxics) == 1
    assert (await exam.proxy("mail").state()).toxics == ()
    assert await exam.heal() == []
    assert await said_back(exam.proxy("database").port, b"hello") == b"helloBYE"


async def test_one_can_be_healed_early_and_leaves_the_other(exam: Exam) -> None:
    hole = await network.blackhole(exam, "database", lease_s=60)
    slow = await network.delay(exam, "database", latency_ms=1, lease_s=60)
    await hole.heal()
    assert await hole.is_over()
    assert not await slow.is_over()
    assert await said_back(exam.proxy("database").port, b"hello") == b"helloBYE"


async def test_mail_is_refused_at_its_proxy_or_hangs_where_there_is_none(exam: Exam, app: App) -> None:
    await take_mail_down(exam, lease_s=60)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", exam.proxy("mail").port)
    assert await exam.heal() == []
    with pytest.raises(Undecided, match="names no running process 'mail'"):
        await take_mail_down(app.exam(), lease_s=60)
    assert state_of(app.pid) != "T"


async def test_without_a_proxy_nothing_is_disturbed() -> None:
    with pytest.raises(Undecided, match="does not reach its database"):
        await network.blackhole(Exam(TARGET, BARE), "database", lease_s=60)


async def test_the_keys_an_app_knows_are_withdrawn() -> None:
    async with stub_running() as stub:
        before = {key["kid"] for key in stub.provider.state.ring.published()}
        expire_keys(Exam(TARGET, BARE, provider=stub))
        after = {key["kid"] for key in stub.provider.state.ring.published()}
        assert after
        assert not before & after
    with pytest.raises(Undecided, match="examiner's provider"):
        expire_keys(Exam(TARGET, BARE))


def test_our_own_apps_allow_every_fault_there_is_and_no_other() -> None:
    assert set(FAULTS_ALLOWED) == set(FAULTS)
