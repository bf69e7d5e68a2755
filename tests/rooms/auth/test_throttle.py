"""Wrong passwords are counted before they are judged; owners are not locked out by others. Covers: verify."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from shipworthy.rooms.auth.throttle import network_of
from tests.rooms.auth.conftest import PASSWORD, AuthApp, auth_settings
from tests.support.client import Answer


async def wrong(auth: AuthApp, *, address: str = "127.0.0.1", email: str | None = None) -> Answer:
    return await auth.sign_in(auth.client(address=address), email=email, password="wrong wrong wrong")


@pytest.mark.parametrize("email", [None, "nobody@nowhere.example", "not an address"])
async def test_fifty_wrong_passwords_at_once_never_exceed_the_budget(
    auth: AuthApp, email: str | None
) -> None:
    answers = await asyncio.gather(*(wrong(auth, email=email) for _ in range(50)))
    assert Counter(a.status for a in answers) == {401: 10, 429: 40}


async def test_a_throttled_account_tells_when_to_come_back_and_then_lets_in(auth: AuthApp) -> None:
    assert (await auth.sign_in()).status == 303
    for _ in range(10):
        assert (await wrong(auth)).status == 401
    auth.clock.move(300)
    refused = await auth.sign_in()
    assert (refused.status, refused.header("retry-after")) == (429, "600")
    assert "Wait 10 min" in refused.text
    auth.clock.move(601)
    assert (await auth.sign_in()).status == 303


async def test_right_and_wrong_passwords_are_answered_alike_while_throttled(auth: AuthApp) -> None:
    known, unknown = auth.owner.email, "nobody@nowhere.example"
    for email in (known, unknown):
        for _ in range(10):
            await wrong(auth, email=email)
    answers = [
        await auth.sign_in(email=known, password=PASSWORD),
        await auth.sign_in(email=known, password="wrong wrong wrong"),
        await auth.sign_in(email=unknown, password="wrong wrong wrong"),
    ]
    bodies = {a.text.replace(known, "X").replace(unknown, "X") for a in map(_without_ids, answers)}
    assert {a.status for a in answers} == {429}
    assert len(bodies) == 1


async def test_successes_are_not_counted(auth: AuthApp) -> None:
    for _ in range(12):
        assert (await auth.sign_in()).status == 303
    assert {a.status for a in await asyncio.gather(*(auth.sign_in() for _ in range(8)))} == {303}
    for _ in range(10):
        assert (await wrong(auth)).status == 401


async def test_an_attacker_elsewhere_cannot_lock_out_the_browser_of_the_owner(auth: AuthApp) -> None:
    home = await auth.signed_in(address="203.0.113.7")
    # The owner's own network is used up too, by somebody without the cookie.
    for network in ["203.0.113.9", *(f"198.51.{n}.1" for n in range(12))]:
        for _ in range(11):
            await wrong(auth, address=network)
    assert (await auth.sign_in(auth.client(address="203.0.113.8"))).status == 429
    assert (await auth.sign_in(home)).status == 303


async def test_a_known_browser_has_a_budget_too(auth: AuthApp) -> None:
    home = await auth.signed_in()
    statuses = [(await auth.sign_in(home, password="wrong wrong wrong")).status for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert (await auth.sign_in()).status == 303  # a browser without the cookie is counted elsewhere


async def test_a_device_cookie_of_somebody_else_buys_nothing(auth: AuthApp) -> None:
    thief = auth.client(address="198.51.100.1")
    thief.cookies["device"] = "A" * 43
    for _ in range(10):
        assert (await auth.sign_in(thief, password="wrong wrong wrong")).status == 401
    assert (await auth.sign_in(thief, password="wrong wrong wrong")).status == 429
    assert (await wrong(auth, address="198.51.100.2")).status == 429
    assert (await wrong(auth, address="198.51.101.2")).status == 401


async def test_all_networks_together_have_a_budget_for_one_account(auth: AuthApp) -> None:
    statuses = Counter()
    for network in range(11):
        for _ in range(10):
            statuses[(await wrong(auth, address=f"198.51.{network}.1")).status] += 1
    assert statuses == {401: 100, 429: 10}


async def test_one_network_alone_does_not_use_up_the_accounts_budget(auth: AuthApp) -> None:
    for _ in range(130):
        await wrong(auth, address="198.51.100.1")
    assert (await auth.sign_in(auth.client(address="203.0.113.7"))).status == 303


async def test_a_password_that_could_not_be_judged_is_not_counted(auth: AuthApp) -> None:
    from shipworthy.rooms.auth.hashing import STATE, HashPool
    from tests.support.hashing import HeldHasher

    hasher = HeldHasher()
    pool = HashPool(hasher, workers=1, queue_max=1)
    real, auth.running.runtime.state[STATE] = auth.running.runtime.state[STATE], pool
    hasher.hold()
    first = asyncio.create_task(wrong(auth))
    assert await asyncio.to_thread(hasher.started.acquire, timeout=20)
    waiting = [asyncio.create_task(wrong(auth)) for _ in range(8)]
    done, pending = set(), set(waiting)
    while len(done) < 7:
        newly, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        done |= newly
    assert {task.result().status for task in done} == {503}
    assert all(task.result().header("retry-after") for task in done)
    hasher.release()
    assert (await first).status == 401
    await asyncio.gather(*pending)
    pool.close()
    auth.running.runtime.state[STATE] = real
    statuses = Counter([(await wrong(auth)).status for _ in range(9)])
    assert statuses == {401: 8, 429: 1}


async def test_old_counters_are_forgotten(auth: AuthApp) -> None:
    for n in range(6):
        await wrong(auth, email=f"nobody{n}@nowhere.example")
    assert (await auth.running.admin("select count(*) as n from login_bucket"))[0]["n"] == 12
    auth.clock.move(901)
    await wrong(auth)
    assert (await auth.running.admin("select count(*) as n from login_bucket"))[0]["n"] == 2


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", "unknown"),
        ("unix", "unknown"),
    ],
)
def test_addresses_are_counted_by_network(client: str, network: str) -> None:
    assert network_of(client) == network


def test_the_defaults_are_the_ones_written_down() -> None:
    assert (auth_settings().auth.login_failures_max, auth_settings().auth.login_window_s) == (10, 900)


def _without_ids(answer: Answer) -> Answer:
    import re

    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", answer.text)
    return Answer(answer.status, answer.headers, text.encode())
