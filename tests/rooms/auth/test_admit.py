"""What a right password leads to: a remembered browser, and a session of its own."""

from __future__ import annotations

import asyncio

from tests.rooms.auth.conftest import AuthApp, add_owner


async def _devices(auth: AuthApp) -> int:
    return int((await auth.running.admin("select count(*) as n from device"))[0]["n"])


async def test_a_browser_is_remembered_once_and_every_sign_in_is_a_new_session(auth: AuthApp) -> None:
    client = await auth.signed_in()
    first = dict(client.cookies)
    await auth.sign_in(client)
    assert client.cookies["device"] == first["device"]
    assert client.cookies["sid"] != first["sid"]
    assert await _devices(auth) == 1


async def test_a_cookie_we_did_not_issue_is_replaced(auth: AuthApp) -> None:
    client = auth.client()
    planted = "A" * 43
    client.cookies["device"] = planted
    await auth.sign_in(client)
    assert client.cookies["device"] != planted


async def test_two_people_share_a_browser_and_both_are_known_in_it(auth: AuthApp) -> None:
    _, other = await add_owner(auth.running, "Globex")
    client = await auth.signed_in()
    cookie = client.cookies["device"]
    for email in (other.email, auth.owner.email, other.email):
        assert (await auth.sign_in(client, email=email)).status == 303
        assert client.cookies["device"] == cookie
    assert await _devices(auth) == 2


async def test_eight_sign_ins_at_once_share_a_pool_of_eight_without_locking_up(auth: AuthApp) -> None:
    client = await auth.signed_in()
    answers = await asyncio.gather(*(auth.sign_in(client) for _ in range(8)))
    assert {answer.status for answer in answers} == {303}
    assert await _devices(auth) == 1
