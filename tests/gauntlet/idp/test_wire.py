"""Answers that are late, broken, enormous or none at all; and a JWKS that is no help.

Covers: web, keys.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from joserfc.errors import JoseError

from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.idp.web import REQUEST_BYTES_MAX
from shipworthy.gauntlet.idp.wire import HUGE_BYTES
from tests.support.relying import Visit

DISCOVERY = "/.well-known/openid-configuration"


async def jwks(visit: Visit, **conduct: Any) -> Any:
    await visit.stub.behave(**conduct)
    return await visit.session.get("/jwks", body_bytes_max=2 * HUGE_BYTES)


async def test_nobody_listens_until_told_otherwise(visit: Visit, stub: Stub) -> None:
    assert (await visit.session.get("/jwks")).status == 200
    for _ in range(2):
        await stub.behave(wire="refused")
        with pytest.raises(Unanswered):
            await visit.session.get("/jwks")  # the open connection is gone, and no new one is made
        await stub.behave(wire="refused")  # once more changes nothing
    await stub.behave()
    assert (await visit.session.get("/jwks")).status == 200


async def test_late_is_late_at_the_endpoints_named_and_only_there(visit: Visit, stub: Stub) -> None:
    await stub.behave(wire="slow", at=("jwks",), delay_s=30)
    assert (await visit.session.get(DISCOVERY)).status == 200
    with pytest.raises(Unanswered, match="within"):
        await visit.session.get("/jwks", timeout_s=0.05)
    await stub.behave(wire="slow", at=("jwks",), delay_s=0.01)
    assert (await visit.session.get("/jwks")).status == 200


async def test_broken_answers_are_broken_as_named(visit: Visit) -> None:
    assert (await jwks(visit, wire="unavailable")).status == 503
    page = await jwks(visit, wire="not_json")
    assert page.text.startswith("<!doctype")
    assert page.header("content-type") == "application/json"  # it says so all the same
    circle = await jwks(visit, wire="redirect_loop")
    assert (circle.status, circle.header("location")) == (307, "/jwks")
    assert len((await jwks(visit, wire="huge")).body) == HUGE_BYTES
    with pytest.raises(Unanswered):
        await jwks(visit, wire="truncated")
    assert (await jwks(visit)).json["keys"]


async def test_a_thousand_keys_hold_the_right_one(visit: Visit) -> None:
    keys = (await jwks(visit, keys="thousand")).json["keys"]
    assert len(keys) == 1000
    assert len({key["kid"] for key in keys}) == 1000
    await visit.verified((await visit.tokens())["id_token"])


async def test_keys_have_other_names_at_every_fetch(visit: Visit) -> None:
    first = (await visit.tokens())["id_token"]
    seen = [(await jwks(visit, keys="new_every_fetch")).json["keys"][-1]["kid"] for _ in range(3)]
    assert len(set(seen)) == 3
    with pytest.raises(JoseError):
        await visit.verified(first)


async def _raw(stub: Stub, sent: bytes) -> bytes:
    port = int(stub.issuer.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_what_is_no_http_or_too_long_is_refused_and_hung_up_on(stub: Stub) -> None:
    assert (await _raw(stub, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    long = b"GET /jwks HTTP/1.1\r\nx: " + b"y" * (REQUEST_BYTES_MAX + 1)
    assert (await _raw(stub, long)).startswith(b"HTTP/1.1 413 ")


async def test_requests_sent_at_once_are_answered_in_order(visit: Visit, stub: Stub) -> None:
    await stub.behave(wire="slow", at=("jwks",), delay_s=0.02)
    two = b"GET /jwks HTTP/1.1\r\n\r\nGET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n"
    answer = await _raw(stub, two)
    assert answer.index(b"HTTP/1.1 200 ") < answer.index(b"HTTP/1.1 404 ")


async def test_many_at_once_are_all_served(stub: Stub) -> None:
    sessions = [HttpSession(stub.issuer) for _ in range(20)]
    answers = await asyncio.gather(*(session.get("/jwks") for session in sessions for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert stub.counts["jwks"] == 100
    for session in sessions:
        await session.close()
