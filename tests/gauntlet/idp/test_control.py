"""The stub in a process of its own: found by its one line, steered with its secret, gone when ended.

Covers: __main__.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shipworthy.gauntlet.http import HttpSession, Unanswered

BACK = "http://127.0.0.1:1/back"


@pytest.fixture
async def alone() -> AsyncIterator[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shipworthy.gauntlet.idp", "--redirect", BACK, "--people", "2"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    said = json.loads(await process.stdout.readline())
    yield said
    process.terminate()
    assert await process.wait() == 0


class Handle:
    """Whoever holds the secret."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.session = HttpSession(said["control"])
        self.session.bearer = said["secret"]

    async def put(self, path: str, body: Any) -> int:
        return (await self.session.request("PUT", path, json_body=body)).status


async def test_it_misbehaves_and_counts_as_its_control_says(alone: dict[str, Any]) -> None:
    handle, app = Handle(alone), HttpSession(alone["issuer"])
    assert (await app.get("/jwks")).status == 200
    assert await handle.put("/conduct", {"wire": "unavailable", "at": ["jwks"]}) == 200
    assert (await app.get("/jwks")).status == 503
    assert await handle.put("/conduct", {"wire": "refused"}) == 200
    await handle.session.get("/")  # a turn later nobody listens
    with pytest.raises(Unanswered):
        await app.get("/jwks")
    assert await handle.put("/conduct", {}) == 200
    await handle.session.get("/")
    kids = [key["kid"] for key in (await app.get("/jwks")).json["keys"]]
    assert (await handle.session.post("/rotate", json_body={"keep_old": False})).status == 200
    assert not set(kids) & {key["kid"] for key in (await app.get("/jwks")).json["keys"]}
    state = (await handle.session.get("/")).json
    assert state["issuer"] == alone["issuer"]
    assert state["counts"]["jwks"] == 4
    assert len(state["people"]) == 2
    await handle.session.close()
    await app.close()


async def test_it_takes_no_orders_without_the_secret_nor_ones_it_does_not_know(alone: dict[str, Any]) -> None:
    handle = Handle(alone)
    assert await handle.put("/conduct", {"wire": "unavailable"}) == 200
    assert await handle.put("/conduct", {"wire": "unheard_of"}) == 422
    assert await handle.put("/conduct", {"wier": "slow"}) == 422
    assert (await handle.session.request("PUT", "/conduct", body=b"{")).status == 422
    assert (await handle.session.get("/nowhere")).status == 404
    assert (await handle.session.get("/")).json["conduct"]["wire"] == "unavailable"
    handle.session.bearer = "guessed"
    assert await handle.put("/conduct", {}) == 401
    assert (await handle.session.get("/")).status == 401
    await handle.session.close()


async def test_a_client_can_be_added_while_it_runs(alone: dict[str, Any]) -> None:
    handle, app = Handle(alone), HttpSession(alone["issuer"])
    asked = "/authorize?client_id=late&redirect_uri=http%3A%2F%2Flate"
    assert (await app.get(asked)).status == 400
    assert await handle.put("/clients", {"client_id": "late", "redirect_uris": ["http://late"]}) == 200
    assert (await app.get(asked)).status == 303
    await handle.session.close()
    await app.close()


async def test_a_port_that_is_taken_is_told_in_one_line(alone: dict[str, Any]) -> None:
    port = alone["issuer"].rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shipworthy.gauntlet.idp", "--port", port), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.startswith(b"the stub could not listen: ")
    assert said.count(b"\n") == 1
