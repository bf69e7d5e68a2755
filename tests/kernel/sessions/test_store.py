"""One contract for every session store. Covers: memory."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shipworthy.kernel.runtime import uuid7
from shipworthy.kernel.sessions.memory import MemorySessions
from shipworthy.kernel.sessions.store import (
    Acting,
    NewSession,
    PostgresSessions,
    SessionStore,
)
from shipworthy.kernel.sessions.valkey import ValkeyLookup
from shipworthy.kernel.settings import SessionsSection
from tests.support.app import RunningApp
from tests.support.valkey import valkey_running


class Clock:
    """Time that is moved, not waited for."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "postgres", "valkey"])
async def store(
    request: pytest.FixtureRequest, toy: RunningApp, clock: Clock, tmp_path: Path
) -> AsyncIterator[SessionStore]:
    settings = SessionsSection(idle_ttl_s=100, absolute_ttl_s=250, cache_ttl_s=0)
    if request.param == "memory":
        yield MemorySessions(settings, now=clock, new_id=uuid7)
        return
    async with AsyncExitStack() as until_then:
        shared = None
        if request.param == "valkey":
            url = await until_then.enter_async_context(valkey_running(tmp_path / "valkey"))
            shared = ValkeyLookup(
                url, realm_id=toy.runtime.realm_id, signing_key=b"tests", now=clock, timeout_s=30
            )
            until_then.push_async_callback(shared.close)
        yield PostgresSessions(
            toy.runtime.database,
            settings,
            realm_id=toy.runtime.realm_id,
            now=clock,
            new_id=uuid7,
            shared=shared,
        )


def person(user_id: uuid.UUID | None = None) -> NewSession:
    return NewSession(
        user_id=user_id or uuid7(), device_id=uuid7(), device_name="Firefox", email="a@example.test", role="owner",
        tenant_id=uuid.uuid4(), tenant_name="Acme",
    )  # fmt: skip


async def test_a_token_stands_for_the_person_who_signed_in(store: SessionStore) -> None:
    new = person()
    principal = await store.lookup(await store.create(new))
    assert principal is not None
    assert (principal.user_id, principal.tenant_id, principal.role, principal.tenant_name) == (
        new.user_id, new.tenant_id, "owner", "Acme",
    )  # fmt: skip
    for wrong in ("", "x" * 43, "\udcff", "a" * 10_000):
        assert await store.lookup(wrong) is None


async def test_a_session_ends_when_idle_and_lives_while_used(store: SessionStore, clock: Clock) -> None:
    token = await store.create(person())
    clock.move(90)
    assert await store.lookup(token)
    clock.move(90)
    assert await store.lookup(token)
    clock.move(101)
    assert await store.lookup(token) is None


async def test_a_session_ends_absolutely_however_much_it_is_used(store: SessionStore, clock: Clock) -> None:
    token = await store.create(person())
    for _ in range(4):
        clock.move(61)
        assert await store.lookup(token)
    clock.move(10)
    assert await store.lookup(token) is None


async def test_revoking_ends_one_session_or_all_the_others(store: SessionStore) -> None:
    user_id = uuid7()
    first, second, third = [await store.create(person(user_id)) for _ in range(3)]
    stranger = await store.create(person())
    kept = await store.lookup(first)
    ended = await store.lookup(second)
    assert kept and ended
    assert await store.revoke(ended.session_id) is True
    assert await store.revoke(ended.session_id) is False
    assert await store.lookup(second) is None
    assert await store.lookup(third)
    await store.revoke_others(user_id, keep=kept.session_id)
    assert await store.lookup(third) is None
    assert await store.lookup(first)
    assert await store.lookup(stranger)
    assert [d.session_id for d in await store.devices(user_id)] == [kept.session_id]


async def test_an_ended_session_no_longer_says_whose_it_was(toy: RunningApp) -> None:
    store, user_id = toy.runtime.sessions, uuid7()
    first, second = [await store.lookup(await store.create(person(user_id))) for _ in range(2)]
    assert first and second
    await store.revoke(first.session_id)
    await store.revoke_others(user_id, keep=None)
    rows = await toy.admin("select session::text as row from session")
    assert len(rows) == 2
    assert not [row for row in rows if "example.test" in row["row"] or "Firefox" in row["row"]]


async def test_the_database_holds_no_token(toy: RunningApp, clock: Clock, tmp_path: Path) -> None:
    token = await toy.runtime.sessions.create(person())
    rows = await toy.admin("select session::text as row from session")
    assert len(rows) == 1
    assert token not in rows[0]["row"]


async def test_a_cached_look_up_is_forgotten_on_revocation_here(toy: RunningApp, clock: Clock) -> None:
    settings = SessionsSection(cache_ttl_s=1_000)
    store = PostgresSessions(
        toy.runtime.database, settings, realm_id=toy.runtime.realm_id, now=clock, new_id=uuid7
    )
    token = await store.create(person())
    principal = await store.lookup(token)
    assert principal
    await toy.admin("update session set email = 'changed@example.test'")
    cached = await store.lookup(token)
    assert cached
    assert cached.email == "a@example.test"
    await store.revoke(principal.session_id)
    assert await store.lookup(token) is None


async def test_a_new_name_shows_in_all_of_a_persons_sessions_and_nobody_elses(store: SessionStore) -> None:
    user_id = uuid7()
    tokens = [await store.create(person(user_id)) for _ in range(2)]
    stranger = await store.create(person())
    assert await store.lookup(tokens[0])  # cached, where there is a cache
    await store.rename(user_id, name="Ada Berg")
    names = [(await store.lookup(token)).name for token in (*tokens, stranger)]  # type: ignore[union-attr]
    assert names == ["Ada Berg", "Ada Berg", ""]


async def test_a_language_that_was_chosen_is_spoken_in_all_of_a_persons_sessions(store: SessionStore) -> None:
    user_id = uuid7()
    tokens = [
        await store.create(person(user_id)),
        await store.create(replace(person(user_id), language="en")),
    ]
    stranger = await store.create(person())
    spoken = [(await store.lookup(token)).language for token in (*tokens, stranger)]  # type: ignore[union-attr]
    assert spoken == ["", "en", ""]
    await store.speak(user_id, language="de")
    spoken = [(await store.lookup(token)).language for token in (*tokens, stranger)]  # type: ignore[union-attr]
    assert spoken == ["de", "de", ""]


async def test_a_session_that_ended_by_itself_is_not_among_the_devices(
    store: SessionStore, clock: Clock
) -> None:
    user_id = uuid7()
    await store.create(person(user_id))
    clock.move(60)
    later = await store.lookup(await store.create(person(user_id)))
    assert later
    clock.move(50)
    assert [d.session_id for d in await store.devices(user_id)] == [later.session_id]


async def test_a_session_begun_in_a_transaction_that_fails_never_was(toy: RunningApp) -> None:
    store, scope = toy.runtime.sessions, toy.ctx().scope
    with pytest.raises(ZeroDivisionError):
        async with toy.runtime.database.begin(scope) as tx:
            lost = await store.create(person(), tx=tx)
            raise ZeroDivisionError
    async with toy.runtime.database.begin(scope) as tx:
        kept = await store.create(person(), tx=tx)
    assert await store.lookup(lost) is None
    assert await store.lookup(kept)


async def test_a_renewed_session_is_the_same_one_under_another_token(
    store: SessionStore, clock: Clock
) -> None:
    old = await store.create(replace(person(), amr=("pwd",)))
    before = await store.lookup(old)
    assert before and before.proven_at == clock() and before.acr == "1"
    clock.move(50)
    new = await store.renew(before.session_id)
    assert new and await store.lookup(old) is None
    assert await store.lookup(new) == before  # another id is no proof
    proven = await store.renew(before.session_id, amr=("pwd", "otp", "mfa"))
    after = await store.lookup(proven or "")
    assert after and (after.proven_at, after.amr, after.acr) == (clock(), ("pwd", "otp", "mfa"), "2")
    moved = await store.lookup(await store.renew(before.session_id, email="b@example.test") or "")
    assert moved == replace(after, email="b@example.test")
    await store.revoke(before.session_id)
    assert await store.renew(before.session_id) is None


async def test_a_session_that_changes_sides_acts_for_the_other_tenant_under_another_token(
    store: SessionStore,
) -> None:
    old = await store.create(person())
    before = await store.lookup(old)
    assert before
    other = Acting(tenant_id=uuid7(), tenant_name="Globex", role="viewer")
    new = await store.renew(before.session_id, acting=other)
    after = await store.lookup(new or "")
    assert after and await store.lookup(old) is None
    assert (after.session_id, after.tenant_id, after.tenant_name, after.role) == (
        before.session_id, other.tenant_id, "Globex", "viewer",
    )  # fmt: skip


async def test_a_role_that_changes_or_goes_does_so_in_all_sessions_for_that_tenant_and_in_no_others(
    store: SessionStore,
) -> None:
    one = person()
    here = [await store.create(one) for _ in range(2)]
    elsewhere = await store.create(replace(one, tenant_id=uuid7(), tenant_name="Globex"))
    colleague = await store.create(replace(one, user_id=uuid7()))
    assert one.tenant_id

    async def seen() -> list[tuple[uuid.UUID | None, str | None, str]]:
        found = [await store.lookup(token) for token in (*here, elsewhere, colleague)]
        return [(p.tenant_id, p.role, p.tenant_name) for p in found if p]

    before = await seen()
    await store.change_role(one.user_id, tenant_id=one.tenant_id, role="viewer")
    assert await seen() == [(one.tenant_id, "viewer", "Acme")] * 2 + before[2:]
    await store.change_role(one.user_id, tenant_id=one.tenant_id, role=None)
    assert await seen() == [(None, None, "")] * 2 + before[2:]
    assert len(await store.devices(one.user_id)) == 3  # they stay signed in


async def test_a_tenants_new_name_shows_in_its_sessions_and_in_no_others(store: SessionStore) -> None:
    one, two = person(), person()
    tokens = [await store.create(new) for new in (one, two, replace(one, user_id=uuid7()))]
    assert one.tenant_id and await store.lookup(tokens[0])
    await store.rename_tenant(one.tenant_id, name="Acme & Sons")
    names = [(await store.lookup(token)).tenant_name for token in tokens]  # type: ignore[union-attr]
    assert names == ["Acme & Sons", "Acme", "Acme & Sons"]


async def test_an_operator_is_one_in_all_of_their_sessions_and_nobody_else_is(store: SessionStore) -> None:
    mine, other = person(), person()
    tokens = [await store.create(mine), await store.create(mine), await store.create(other)]
    await store.set_operator(mine.user_id, is_operator=True)
    assert [p.is_operator for t in tokens if (p := await store.lookup(t))] == [True, True, False]
    await store.set_operator(mine.user_id, is_operator=False)
    assert [p.is_operator for t in tokens if (p := await store.lookup(t))] == [False, False, False]
