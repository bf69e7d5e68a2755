"""Hostile requests get a plain refusal, never a crash, and leave nothing half done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import pytest

from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import FORM, Body, parse_body, parse_query
from tests.kernel.conftest import signed_in
from tests.support.app import RunningApp

JSON = {"content-type": "application/json"}


class Line(Body):
    label: str = ""


class Order(Body):
    note: str = ""
    count: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    lines: list[Line] = []


class Search(msgspec.Struct):
    q: str = ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b'{"text": "\\u0000"}',
        b'{"text": "a\\u0000b"}',
        b'{"\\u0000": 1}',
        b'{"text": "\\ud800"}',
        b'{"text": 1e999}',
        b'{"text": "x", "stars": 1e999}',
        b'{"text": "x", "stars": ' + b"9" * 1_500 + b"}",
        b'{"text": "x", "parts": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"text": "x", "text": 1}',
        b'{"text": NaN}',
    ],
)
async def test_a_hostile_json_body_is_refused_and_nothing_is_written(toy: RunningApp, body: bytes) -> None:
    acme = await signed_in(toy)
    answer = await acme.post("/notes", body=body, headers={**JSON, "idempotency-key": "k"})
    assert answer.status in (400, 422), answer.text
    assert (await acme.get("/notes")).json == []
    good = await acme.post("/notes", json_body={"text": "x"}, headers={"idempotency-key": "k"})
    assert good.status == 201


@pytest.mark.parametrize("media", ["", "text/plain", "multipart/form-data; boundary=x", "application/xml"])
async def test_another_content_type_is_refused(toy: RunningApp, media: str) -> None:
    acme = await signed_in(toy)
    headers = {"content-type": media, "idempotency-key": "k"}
    answer = await acme.post("/notes", body=b'{"text": "x"}', headers=headers)
    assert (answer.status, answer.json["code"]) == (400, "body.media_type")


@pytest.mark.parametrize(
    "form",
    [
        "lines-²-label=x",
        "note=%00",
        "%00=x",
        "note=a%00b",
        "lines-0-label=%00",
        "count=" + "9" * 5_000,
        "&".join(f"f{i}=1" for i in range(3_000)),
    ],
)
def test_a_hostile_form_is_refused_as_the_callers_mistake(form: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_body(form.encode(), FORM, Order)
    assert refused.value.kind in ("invalid", "malformed")


@pytest.mark.parametrize("query", ["q=%00", "&".join(["q=1"] * 101), "q=a%00b"])
def test_a_hostile_query_is_refused_as_the_callers_mistake(query: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_query(query, Search)
    assert refused.value.kind in ("invalid", "malformed")
    assert parse_query("q=%FF&utm=x", Search).q == "\ufffd"


def test_text_that_only_looks_like_a_null_is_text() -> None:
    assert parse_body(b'{"note": "\\\\u0000"}', "application/json", Order).note == "\\u0000"


@pytest.mark.parametrize(
    "origin", ["http://[", "http://[::1", "null", "//localhost", "http://localhost@evil.example"]
)
async def test_an_origin_that_is_no_address_is_another_site(toy: RunningApp, origin: str) -> None:
    acme = await signed_in(toy)
    answer = await acme.post(
        "/notes", json_body={"text": "x"}, headers={"idempotency-key": "k"}, origin=origin
    )
    expected = 201 if origin == "//localhost" else 403
    assert (answer.status, origin) == (expected, origin)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost:@evil.example",
        "localhost.evil.example",
        "evil@localhost",
        "localhost:²",
        "localhost:80:80",
    ],
)
async def test_a_host_that_is_not_ours_is_not_served(toy: RunningApp, host: str) -> None:
    assert (await toy.client(host).get("/hello")).status == 421
    assert (await toy.client("LOCALHOST:8000").get("/hello")).status == 200


@pytest.mark.parametrize(
    "path", ["//hello", "/hello/", "/HELLO", "/notes/../hello", "/notes/%20", "/" + "x" * 60_000]
)
async def test_an_odd_path_is_simply_not_there(toy: RunningApp, path: str) -> None:
    acme = await signed_in(toy)
    assert (await acme._send("GET", "", {"host": "localhost"}, b"")).status == 404
    assert (await acme.get(f"/.{path}" if path.startswith("//") else path)).status == 404


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused_on_every_kind_of_path(toy: RunningApp, method: str) -> None:
    style = toy.asgi._static.url("app.css")
    for path in ("/hello", style, "/-/healthz"):
        answer = await toy.client().request(method, path)
        assert (answer.status, path) == (405, path)
    overridden = {"x-http-method-override": "DELETE", "x-method-override": "DELETE"}
    assert (await toy.client().get("/hello", headers=overridden)).status == 200
    assert (await toy.client().request("HEAD", "/hello")).body == b""


async def test_a_tampered_session_is_no_session(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    token = acme.cookies["sid"]
    for forged in (
        token[:-1],
        token + "=",
        token.swapcase(),
        "\u00ff",
        "x" * 20_000,
        "",
        "'; drop table session",
    ):
        acme.cookies["sid"] = forged
        assert (await acme.get("/notes")).status == 401
    acme.cookies = {"sid": token}
    assert (await acme.get("/notes")).status == 200


async def test_one_key_of_two_tenants_makes_one_note_each(toy: RunningApp) -> None:
    acme, globex = await signed_in(toy, tenant="Acme"), await signed_in(toy, tenant="Globex")
    send: dict[str, Any] = {"json_body": {"text": "x"}, "headers": {"idempotency-key": "shared"}}
    first, second = await asyncio.gather(acme.post("/notes", **send), globex.post("/notes", **send))
    assert (first.status, second.status) == (201, 201)
    assert first.json != second.json


async def test_a_request_cut_off_in_the_middle_rolls_back_and_its_retry_works(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    await acme.get("/notes")  # the session is in the cache: the next thing to wait for is the lock
    send: dict[str, Any] = {"json_body": {"text": "x"}, "headers": {"idempotency-key": "k"}}
    import asyncpg

    holder = await asyncpg.connect(toy.url("admin"))
    try:
        async with holder.transaction():
            await holder.execute("lock table note in access exclusive mode")
            cut = asyncio.create_task(acme.post("/notes", **send))
            await _someone_waits_for(holder, "note")
            cut.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cut
    finally:
        await holder.close()
    assert (await toy.admin("select count(*) from idempotency_key"))[0]["count"] == 0
    assert (await acme.post("/notes", **send)).status == 201
    assert (await acme.get("/notes")).json == ["x"]


async def test_a_table_that_stays_locked_is_a_bounded_503(toy: RunningApp) -> None:
    import asyncpg

    acme = await signed_in(toy)
    send: dict[str, Any] = {"json_body": {"text": "x"}, "headers": {"idempotency-key": "k"}}
    holder = await asyncpg.connect(toy.url("admin"))
    try:
        async with holder.transaction():
            await holder.execute("lock table note in access exclusive mode")
            answer = await acme.post("/notes", **send)
    finally:
        await holder.close()
    assert (answer.status, answer.json["code"]) == (503, "database.busy")
    assert answer.header("retry-after") is not None
    assert (await acme.post("/notes", **send)).status == 201


async def test_readiness_says_503_while_the_database_cuts_and_heals(toy: RunningApp) -> None:
    assert (await toy.client().get("/-/readyz")).status == 200
    await toy.admin(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and datname = current_database()"
    )
    answer = await toy.client().get("/-/readyz")
    assert answer.status in (200, 503)
    for _ in range(20):
        if (answer := await toy.client().get("/-/readyz")).status == 200:
            break
        assert answer.status == 503
    assert answer.status == 200


async def _someone_waits_for(connection: Any, table: str) -> None:
    """Return once another transaction waits for a lock on `table`."""
    waiting = "select exists (select from pg_locks where relation = $1::regclass and not granted)"
    async with asyncio.timeout(10):
        while not await connection.fetchval(waiting, table):
            await asyncio.sleep(0.01)


async def test_a_body_that_dawdles_is_408_and_one_whose_sender_left_is_nothing(
    toy: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    scope = {
        "type": "http", "method": "POST", "path": "/notes", "raw_path": b"/notes", "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", b"5"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 50_000), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    hurried = replace(toy.runtime.settings.http, body_timeout_s=0.01)
    toy.runtime.settings = replace(toy.runtime.settings, http=hurried)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def never() -> Any:
        await asyncio.Event().wait()

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    await toy.asgi(scope, never, send)
    assert (sent[0]["status"], (b"connection", b"close") in sent[0]["headers"]) == (408, True)
    sent.clear()
    await toy.asgi(scope, gone, send)
    assert (sent, caplog.records) == ([], [])
