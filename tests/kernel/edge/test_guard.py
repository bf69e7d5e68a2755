"""The guard through HTTP: what is refused, what is noted, and what an operator finds of it.

Covers: events, refusals, switches, parts, admission, reading, page.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from shipworthy.kernel.edge.events import EDGE_FILE
from shipworthy.kernel.edge.reading import about, newest
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running, make_settings
from tests.support.client import Answer, Client

ATTACK = "x' or 'a'='a"


@pytest.fixture
async def strict(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    """The toy with attacks refused, few requests for one network, and fewer for one tenant."""
    switch = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
    (tmp_path / "flags.json").write_text(json.dumps({"flags": {"edge.refuse_attacks": switch}}))
    edge = EdgeSection(
        network_requests_per_minute=1,
        network_requests_burst=5,
        tenant_requests_per_minute=1,
        tenant_requests_burst=3,
    )
    async with app_running(cluster, (ROOM,), tmp_path, settings=make_settings((ROOM,), edge=edge)) as app:
        yield app


async def written(app: RunningApp, count: int = 1) -> Path:
    """Wait until so many events are written: the exporter does so every second."""
    file = app.installation.state / EDGE_FILE
    while not file.exists() or len(newest(file, most=100)) < count:
        await asyncio.sleep(0.01)
    return file


def code_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


async def note(client: Client, text: str, **headers: str) -> Answer:
    return await client.post(
        "/notes", json_body={"text": text}, headers={"idempotency-key": uuid.uuid4().hex, **headers}
    )


@pytest.mark.parametrize(
    ("path", "headers", "body", "expected"),
    [
        ("/hello%00", {}, b"", (400, "edge.not_plain")),
        ("/%c0%ae%c0%ae/etc", {}, b"", (400, "edge.not_plain")),
        ("/%252e%252e/", {}, b"", (400, "edge.not_plain")),
        ("/hello?q=%ff", {}, b"", (400, "edge.not_plain")),
        ("/hello", {"cookie": "a=" + "b" * 40_000}, b"", (431, "edge.head_too_large")),
        (
            "/notes",
            {"content-encoding": "gzip"},
            gzip.compress(b"0" * 2_000_000)[:1_900],
            (415, "edge.compressed"),
        ),
        (
            "/notes",
            {"content-type": "application/x-www-form-urlencoded"},
            b"text=%C0%AF",
            (400, "edge.not_plain"),
        ),
    ],
)
async def test_what_is_not_written_plainly_is_refused_and_the_plain_one_passes(
    toy: RunningApp, path: str, headers: dict[str, str], body: bytes, expected: tuple[int, str]
) -> None:
    acme = await signed_in(toy)
    method = "POST" if body else "GET"
    sent = {"content-type": "application/json", "accept": "application/json", **headers}
    assert code_of(await toy.client().request(method, path, headers=sent, body=body)) == expected
    assert (await acme.get("/hello?q=%C3%BC&utm_source=x")).status == 200
    assert (await note(acme, "plain & simple")).status == 201


async def test_an_attack_is_noted_and_let_through_until_the_switch_says_so(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    answer = await note(acme, ATTACK)
    assert answer.status == 201
    assert (await acme.get(f"/notes/{answer.json['note_id']}")).json["text"] == ATTACK
    [told] = newest(await written(toy), most=9)
    assert (told.rule, told.is_refused, told.part) == ("sql.tautology", False, "body text")


async def test_an_attack_is_refused_and_an_operator_finds_out_why_by_its_number(strict: RunningApp) -> None:
    acme = await signed_in(strict)
    refused = await note(acme, ATTACK)
    assert code_of(refused) == (403, "edge.attack")
    request_id = refused.header("trace-id") or ""
    assert request_id in refused.json["detail"]
    assert (await acme.get("/notes")).json == []
    file = await written(strict)
    [told] = about(file, request_id[:8])
    assert (told.rule, told.is_refused, told.request) == ("sql.tautology", True, "POST /notes")
    assert ATTACK[:8] in told.excerpt and told.network == "127.0.0.0/24"

    page = unescape((await strict.client().get(f"/-/edge/{request_id}")).text)
    assert "sql.tautology" in page and "edge.refuse_attacks" in page and "body text" in page
    assert f"/-/edge/{request_id}" in unescape((await strict.client().get("/-/edge")).text)
    for path in ("/-/edge", f"/-/edge/{request_id}"):
        assert (await strict.client(address="10.0.0.9").get(path)).status == 404
    assert (await strict.client().get("/-/edge/abc")).status == 404
    assert "edge_refused_total" in (await strict.client().get("/-/metrics")).text


@pytest.mark.parametrize(
    "path",
    ["/hello?q=<script>alert(1)</script>", "/hello?<script>=1", "/hello/../../etc/passwd"],
)
async def test_an_attack_in_the_address_is_refused(strict: RunningApp, path: str) -> None:
    answer = await strict.client().get(path, headers={"accept": "application/json"})
    assert code_of(answer) == (403, "edge.attack")
    assert (await strict.client().get("/hello?gclid=Cj0KC-x_1&utm_campaign=spring%20sale")).status == 200


async def test_secrets_are_never_read_nor_kept(strict: RunningApp) -> None:
    acme = await signed_in(strict)
    body = {"text": "x", "password": ATTACK, "token": ATTACK}
    answer = await acme.post("/notes", json_body=body, headers={"idempotency-key": "k"})
    assert (answer.status, set(answer.json["fields"])) == (422, {"password", "token"})
    assert (await acme.get(f"/hello?token={'%27'}or+1%3D1")).status == 200
    assert (await note(acme, ATTACK)).status == 403
    assert len(newest(await written(strict), most=9)) == 1


async def test_a_network_that_asks_too_often_waits_and_its_neighbour_and_this_machine_do_not(
    strict: RunningApp,
) -> None:
    office = [strict.client(address=f"203.0.113.{n}") for n in range(8)]
    answers = await asyncio.gather(*(one.get("/hello") for one in office))
    refused = [answer for answer in answers if answer.status == 429]
    assert (len(answers) - len(refused), {answer.json["code"] for answer in refused}) == (
        5,
        {"edge.too_often"},
    )
    assert {answer.header("retry-after") for answer in refused} == {"60"}
    assert (await strict.client(address="203.0.114.1").get("/hello")).status == 200
    assert (await office[0].get("/-/healthz")).status == 200
    here = [await strict.client().get("/hello") for _ in range(20)]
    assert {answer.status for answer in here} == {200}
    assert {told.rule for told in newest(await written(strict, 3), most=9)} == {"limit.network"}


async def test_a_tenant_that_asks_too_often_waits_and_its_neighbour_does_not(strict: RunningApp) -> None:
    acme, globex = await signed_in(strict), await signed_in(strict, tenant="Globex")
    assert [(await acme.get("/notes")).status for _ in range(5)] == [200] * 3 + [429] * 2
    assert (await globex.get("/notes")).status == 200


async def test_a_page_says_it_to_people_in_their_language(strict: RunningApp) -> None:
    headers = {"accept": "text/html", "accept-language": "de"}
    answer = await strict.client().get("/x<script>alert(1)</script>", headers=headers)
    assert answer.status == 403 and "sieht wie ein Angriff aus" in answer.text


async def test_of_a_personal_field_nothing_that_was_written_is_kept(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    routes = tuple(replace(one, personal=("text",)) if one.path == "/notes" else one for one in ROOM.routes)
    async with app_running(cluster, (replace(ROOM, routes=routes),), tmp_path) as app:
        acme = await signed_in(app)
        assert (await note(acme, ATTACK)).status == 201
        [told] = newest(await written(app), most=9)
    assert (told.rule, told.part, told.excerpt) == ("sql.tautology", "body text", "")
