"""Wrong passwords are counted before they are judged; owners are not locked out by others. Covers: verify."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.throttle import login_budget
from tests.rooms.auth.conftest import PASSWORD, AuthApp, auth_settings
from tests.support.client import Answer
from tests.support.hashing import full_line
from tests.support.page import without_nonces


@pytest.fixture(autouse=True)
def without_challenges(tmp_path: Path) -> None:
    """Strangers are asked to compute long before the throttle ends its patience: here it is alone."""
    off = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    (tmp_path / "flags.json").write_text(json.dumps({"flags": {"edge.challenge": off}}))


async def wrong(auth: AuthApp, *, address: str = "127.0.0.1", email: str | None = None) -> Answer:
    return await auth.sign_in(auth.client(address=address), email=email, password="wrong wrong wrong")


@pytest.mark.parametrize("email", [None, "nobody@nowhere.example", "not an address"])
async def test_fifty_wrong_passwords_at_once_never_exceed_the_budget(
    auth: AuthApp, email: str | None
) -> None:
    answers = await asyncio.gather(*(wrong(auth, email=email) for _ in range(50)))
    assert Counter(a.status for a in answers) == {401: 10, 429: 40}


async def test_a_stranger_waits_longer_and_longer_and_is_then_let_in(auth: AuthApp) -> None:
    for _ in range(10):
        assert (await wrong(auth)).status == 401
    for pause_s in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        refused = await auth.sign_in()
        assert (refused.status, refused.header("retry-after")) == (429, str(pause_s))
        auth.clock.move(pause_s - 0.001)
        assert (await wrong(auth)).status == 429
        auth.clock.move(0.002)
        assert (await wrong(auth)).status == 401
    assert f"Wait {pause_s // 60} min" in (await auth.sign_in()).text
    auth.clock.move(900)
    assert (await auth.sign_in()).status == 303
    auth.clock.move(3_600)  # of quiet: all is forgotten
    for _ in range(10):
        assert (await wrong(auth)).status == 401


async def test_a_throttled_browser_tells_when_its_window_is_over(auth: AuthApp) -> None:
    home = await auth.signed_in()
    for _ in range(10):
        assert (await auth.sign_in(home, password="wrong wrong wrong")).status == 401
    auth.clock.move(300)
    refused = await auth.sign_in(home)
    assert (refused.status, refused.header("retry-after")) == (429, "600")
    assert "Wait 10 min" in refused.text
    auth.clock.move(600)
    assert (await auth.sign_in(home)).status == 303


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
    bodies = {
        without_nonces(a.text).replace(known, "X").replace(unknown, "X") for a in map(_without_ids, answers)
    }
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
    async with full_line(auth.running.runtime, room=8) as hasher:
        waiting = [asyncio.create_task(wrong(auth)) for _ in range(8)]
        while await _counted(auth) < 8:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(asyncio.to_thread(pool_of(auth.running.runtime).close))
        refused = await asyncio.gather(*waiting)
        assert {a.status for a in refused} == {503}
        assert all(a.header("retry-after") for a in refused)
        hasher.release()
        await closing
    assert await _counted(auth) == 0
    statuses = Counter([(await wrong(auth)).status for _ in range(11)])
    assert statuses == {401: 10, 429: 1}


async def test_ten_thousand_failures_keep_strangers_out_and_let_the_owner_in(auth: AuthApp) -> None:
    home = await auth.signed_in(address="203.0.113.7")
    for network in range(30):  # through the door, from the owner's network and others
        assert (await wrong(auth, address=f"203.0.{113 + network}.9")).status == 401
    await _try_on(auth, tries=10_000)
    assert await _counted(auth) > 100
    for address in ("203.0.113.7", "192.0.2.1"):
        assert (await auth.sign_in(auth.client(address=address))).status == 429
    assert (await auth.sign_in(home)).status == 303


async def test_two_hundred_wrong_passwords_at_once_never_exceed_the_budget(auth: AuthApp) -> None:
    addresses = [f"198.51.{n % 20}.1" for n in range(200)]  # ten from each of twenty networks
    answers = await asyncio.gather(*(wrong(auth, address=address) for address in addresses))
    assert Counter(a.status for a in answers) == {401: 100, 429: 100}


async def test_a_network_that_fails_at_many_accounts_has_to_wait_and_an_office_does_not(
    auth: AuthApp,
) -> None:
    colleague = await auth.signed_in(address="203.0.113.7")
    for _ in range(9):  # the same few people of one office, again and again
        for person in range(5):
            await wrong(auth, address="203.0.113.7", email=f"person{person}@acme.example")
    assert (await auth.sign_in(auth.client(address="203.0.113.7"))).status == 303
    statuses = [
        (await wrong(auth, address="198.51.100.7", email=f"person{n}@acme.example")).status for n in range(40)
    ]
    assert statuses == [401] * 30 + [429] * 10
    assert (await auth.sign_in(auth.client(address="198.51.100.8"))).status == 429  # the right password, too
    assert (await auth.sign_in(auth.client(address="203.0.113.7"))).status == 303
    colleague.address = "198.51.100.9"  # a known browser is no stranger, wherever it is
    assert (await auth.sign_in(colleague)).status == 303


async def test_old_counters_are_forgotten(auth: AuthApp) -> None:
    for n in range(6):
        await wrong(auth, email=f"nobody{n}@nowhere.example")
    assert (await auth.running.admin("select count(*) as n from login_bucket"))[0]["n"] == 13
    auth.clock.move(3_601)
    await wrong(auth)
    assert (await auth.running.admin("select count(*) as n from login_bucket"))[0]["n"] == 3


def test_the_defaults_are_the_ones_written_down() -> None:
    assert (auth_settings().auth.login_failures_max, auth_settings().auth.login_window_s) == (10, 900)


async def _counted(auth: AuthApp) -> int:
    """The fullest bucket."""
    rows = await auth.running.admin("select coalesce(max(failures), 0) as tries from login_bucket")
    return int(rows[0]["tries"])


async def _try_on(auth: AuthApp, *, tries: int) -> None:
    """Count so many more failures, as sign_in does, without hashing for them: each a bit later, from one of 200 networks."""
    ctx, budgets = auth.running.ctx(), []
    for network in range(200):
        ctx.client = f"192.0.{network}.1"
        budgets.append(login_budget(ctx, account=auth.owner.email))
    async with ctx.begin() as tx:
        await tx.raw(
            "select count_tries(near, $2, true, spread, 30, $4, $5, $6, $7::timestamptz + n * interval '0.1 second')"
            " from generate_series(1, $8::int) n"
            " join unnest($1::bytea[], $3::bytea[]) with ordinality as networks (near, spread, nr) on nr = 1 + n % 200",
            [budget.near for budget in budgets],
            budgets[0].near_max,
            [budget.spread for budget in budgets],
            budgets[0].wide,
            budgets[0].wide_max,
            timedelta(seconds=900),
            auth.clock.at,
            tries,
        )
    auth.clock.move(tries * 0.1)


def _without_ids(answer: Answer) -> Answer:
    import re

    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", answer.text)
    return Answer(answer.status, answer.headers, text.encode())


async def test_the_owner_is_told_when_a_stranger_gets_in_after_failures(auth: AuthApp) -> None:
    home = await auth.signed_in()
    for network in range(5):  # two from each, so that nobody has to wait
        for _ in range(2):
            assert (await wrong(auth, address=f"198.51.{network}.1")).status == 401
    assert (await auth.sign_in(home)).status == 303  # the owner's own browser says nothing of the sort
    assert await _told(auth) == []
    assert (await auth.sign_in(auth.client(address="203.0.113.9"))).status == 303
    (told,) = await _told(auth)
    assert "10 tries with a wrong password" in told
    assert "http://localhost/forgot" in told


async def test_a_stranger_who_mistyped_a_few_times_alarms_nobody(auth: AuthApp) -> None:
    for _ in range(9):
        assert (await wrong(auth)).status == 401
    assert (await auth.sign_in()).status == 303
    assert await _told(auth) == []


async def _told(auth: AuthApp) -> list[str]:
    await auth.work()
    return [mail.text for mail in auth.mails if "after failed tries" in mail.subject]
