"""The look-up in Valkey: shared, quick to forget, never believed on its own word, never missed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from valkey.asyncio import Valkey

from shipworthy.gauntlet.proxy.proxies import proxies_running
from shipworthy.gauntlet.proxy.toxic import Toxic
from shipworthy.kernel.runtime import uuid7
from shipworthy.kernel.sessions.store import NewSession, PostgresSessions
from shipworthy.kernel.sessions.valkey import ValkeyLookup
from shipworthy.kernel.settings import SessionsSection
from shipworthy.local.ports import free_port
from tests.support.app import RunningApp
from tests.support.valkey import PASSWORD, valkey_running

TIMEOUT_S = 60


@dataclass
class Web:
    """Web processes of one app: each a store of its own, all on one Valkey."""

    app: RunningApp
    url: str
    closing: AsyncExitStack
    at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def process(
        self, *, url: str | None = None, timeout_s: float = TIMEOUT_S, signing_key: bytes = b"tests"
    ) -> PostgresSessions:
        def now() -> datetime:
            return self.at

        realm_id = self.app.runtime.realm_id
        shared = ValkeyLookup(
            url or self.url, realm_id=realm_id, signing_key=signing_key, now=now, timeout_s=timeout_s
        )
        self.closing.push_async_callback(shared.close)
        return PostgresSessions(
            self.app.runtime.database,
            SessionsSection(cache_ttl_s=0),
            realm_id=realm_id,
            now=now,
            new_id=uuid7,
            shared=shared,
        )

    async def change_the_record(self) -> None:
        """From now on who answers "a@…" was not told by the record."""
        await self.app.admin("update session set email = 'record@example.test'")


@pytest.fixture
async def web(toy: RunningApp, tmp_path: Path) -> AsyncIterator[Web]:
    async with valkey_running(tmp_path / "valkey") as url, AsyncExitStack() as closing:
        yield Web(toy, url, closing)


def person() -> NewSession:
    return NewSession(user_id=uuid7(), device_id=uuid7(), device_name="Firefox", email="a@example.test")


async def address_of(store: PostgresSessions, token: str) -> str | None:
    principal = await store.lookup(token)
    return principal.email if principal else None


async def test_what_one_process_read_another_is_told_and_a_revocation_ends_it_for_both(web: Web) -> None:
    one, other = web.process(), web.process()
    token = await one.create(person())
    seen = await one.lookup(token)
    await web.change_the_record()
    assert seen and await other.lookup(token) == seen, "told by Valkey"
    await other.revoke(seen.session_id)
    assert await one.lookup(token) is None
    kept, ended = await one.create(person()), await one.create(person())
    assert (await one.lookup(kept), await one.lookup(ended)) != (None, None)
    await other.revoke_others((await other.lookup(ended)).user_id, keep=None)  # type: ignore[union-attr]
    assert await one.lookup(ended) is None and await one.lookup(kept)


async def test_nothing_is_believed_longer_than_a_minute_after_its_person_was_seen(web: Web) -> None:
    store = web.process()
    token = await store.create(person())
    assert await store.lookup(token)
    await web.change_the_record()
    web.at += timedelta(seconds=59)
    assert await address_of(store, token) == "a@example.test"
    web.at += timedelta(seconds=2)
    assert await address_of(store, token) == "record@example.test"


async def test_what_was_read_before_a_revocation_is_not_put_back_after_it(web: Web) -> None:
    store = web.process()
    token = await store.create(person())
    read = await store._read(digest(token))  # a process that stood still between reading and putting
    assert read
    await store.revoke(read.session_id)
    assert await store.lookup(token) is None
    assert store._shared
    await store._shared.put(digest(token), read, until=web.at + timedelta(seconds=60))
    assert await store.lookup(token) is None


async def test_what_somebody_wrote_into_valkey_is_asked_of_the_record(web: Web) -> None:
    store = web.process()
    token, other = await store.create(person()), await store.create(person())
    assert await store.lookup(token) and await store.lookup(other)
    client = Valkey.from_url(web.url)
    try:
        sealed = await client.get(key(web, token))
        assert sealed and token.encode() not in sealed and PASSWORD.encode() not in sealed
        ttl_s = 60
        for planted in (sealed[:-1], sealed[:32], b"x" * 500, bytes(32) + sealed[32:]):
            await client.set(key(web, "planted"), planted, ex=ttl_s)
            assert await store.lookup("planted") is None
        await client.set(key(web, "planted"), sealed, ex=ttl_s)
        assert await store.lookup("planted") is None, "sealed, but for another token"
        await client.set(key(web, other), sealed, ex=ttl_s)
        asked = await store.lookup(other)
        assert asked and asked != await store.lookup(token)
    finally:
        await client.aclose()
    await web.change_the_record()
    assert await address_of(web.process(signing_key=b"another key"), token) == "record@example.test"


async def test_without_valkey_people_are_who_they_are_and_nobody_else_is_anybody(
    web: Web, tmp_path: Path
) -> None:
    port = free_port()
    async with valkey_running(tmp_path / "killed", port=port) as url:
        store = web.process(url=url)
        token, ended = await store.create(person()), await store.create(person())
        assert (await store.lookup(token), await store.lookup(ended)) != (None, None)
    await web.change_the_record()
    assert await address_of(store, token) == "record@example.test"
    assert await store.lookup("x" * 43) is None
    assert await store.revoke((await store.lookup(ended)).session_id)  # type: ignore[union-attr]
    assert await store.lookup(ended) is None
    answers = await asyncio.gather(*(store.lookup(token) for _ in range(20)))
    assert all(answers)
    async with valkey_running(tmp_path / "killed", port=port):
        await until(store, lambda shared: not shared._away_until_s, token)
        await web.app.admin("update session set email = 'later@example.test'")
        assert await address_of(store, token) == "record@example.test", "told by Valkey again"
        assert await store.lookup(ended) is None
        refused = web.process(url=url.replace(PASSWORD, "wrong"))
        assert await address_of(refused, token) == "later@example.test"


async def test_a_valkey_that_says_nothing_is_waited_for_once(web: Web) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        store = web.process(url=f"valkey://127.0.0.1:{port}", timeout_s=0.05)
        token = await store.create(person())
        assert await store.lookup(token)
        assert isinstance(store._shared, ValkeyLookup) and store._shared._away_until_s
        assert all(await asyncio.gather(*(store.lookup(token) for _ in range(20))))


async def test_a_revocation_that_did_not_reach_valkey_is_made_good(web: Web) -> None:
    async with proxies_running() as proxies:
        proxy = await proxies.open("valkey", upstream=web.url.rpartition("@")[2])
        far = web.process(url=f"valkey://:{PASSWORD}@{proxy.address}")
        near = web.process()
        token, other = await far.create(person()), await far.create(person())
        seen = await far.lookup(token)
        await proxy.add(Toxic(kind="down"), lease_s=TIMEOUT_S)
        assert seen and await far.revoke(seen.session_id)
        assert await far.lookup(token) is None
        assert await near.lookup(token) == seen, "or this test proves nothing"
        await proxy.clear()
        await until(far, lambda shared: not shared._owed, other)
        assert await near.lookup(token) is None


async def until(store: PostgresSessions, is_so: Callable[[ValkeyLookup], bool], token: str) -> None:
    """Look somebody up until the store's Valkey is back."""
    assert isinstance(store._shared, ValkeyLookup)
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so(store._shared):
            assert await store.lookup(token)
            await asyncio.sleep(0.05)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def key(web: Web, token: str) -> str:
    return f"session:{web.app.runtime.realm_id.hex}:{digest(token).hex()}"
