"""Networks somebody has signed in from: known for 30 days, in every process, by a hash."""

from __future__ import annotations

from shipworthy.rooms.auth.gate.door import caller_of
from shipworthy.rooms.auth.gate.line import Standing
from shipworthy.rooms.auth.gate.networks import STATE, Networks, networks_of
from tests.rooms.auth.conftest import AuthApp

HERE = "203.0.113.7"


def standing(auth: AuthApp, address: str) -> Standing:
    return caller_of(auth.running.runtime, token=None, client=address).standing


def start_again(auth: AuthApp) -> None:
    runtime = auth.running.runtime
    runtime.state[STATE] = Networks(signing_key=runtime.signing_key, realm_id=runtime.realm_id)


async def wrong(auth: AuthApp) -> None:
    assert (await auth.sign_in(password="wrong wrong wrong")).status == 401


async def written_at(auth: AuthApp) -> list[object]:
    rows = await auth.running.admin("select succeeded_at from login_network order by succeeded_at")
    return [row["succeeded_at"] for row in rows]


async def test_a_network_is_known_after_a_success_and_not_after_a_failure(auth: AuthApp) -> None:
    await auth.sign_in(auth.client(address=HERE), password="wrong wrong wrong")
    assert standing(auth, HERE) is Standing.UNKNOWN
    await auth.signed_in(address=HERE)
    assert standing(auth, "203.0.113.99") is Standing.KNOWN_NETWORK
    assert standing(auth, "203.0.114.7") is Standing.UNKNOWN
    stored = await auth.running.admin("select network from login_network")
    assert [len(row["network"]) for row in stored] == [16]


async def test_it_is_written_once_a_day_and_known_for_thirty(auth: AuthApp) -> None:
    await auth.signed_in(address=HERE)
    first = auth.clock.at
    for _ in range(3):
        auth.clock.move(7 * 3_600)
        await auth.signed_in(address=HERE)
    assert await written_at(auth) == [first]
    auth.clock.move(7 * 3_600)
    await auth.signed_in(address=HERE)
    assert await written_at(auth) == [auth.clock.at]
    auth.clock.move(31 * 24 * 3_600)
    await wrong(auth)  # the list is read again
    assert standing(auth, HERE) is Standing.UNKNOWN
    assert await written_at(auth) == []


async def test_another_process_learns_of_it_within_an_hour(auth: AuthApp) -> None:
    await wrong(auth)
    other = networks_of(auth.running.runtime)
    start_again(auth)
    await auth.signed_in(address=HERE)
    auth.running.runtime.state[STATE] = other
    await wrong(auth)
    assert standing(auth, HERE) is Standing.UNKNOWN
    auth.clock.move(3_601)
    await wrong(auth)
    assert standing(auth, HERE) is Standing.KNOWN_NETWORK
