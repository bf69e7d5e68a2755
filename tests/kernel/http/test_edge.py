"""The edge's promises, through HTTP on a real database.

Covers: edge, wire, reply, cookies, idempotency, metrics, origin, pages, problem, static.
"""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

from shipworthy.kernel.settings import HttpSection
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running, make_settings


async def test_create_then_read_back_and_the_neighbour_sees_nothing(toy: RunningApp) -> None:
    acme, globex = await signed_in(toy, tenant="Acme"), await signed_in(toy, tenant="Globex")
    created = await acme.post("/notes", json_body={"text": "mine"}, headers={"idempotency-key": "k1"})
    assert created.status == 201
    note_id = created.json["note_id"]
    assert (await acme.get(f"/notes/{note_id}")).json["text"] == "mine"
    assert (await globex.get("/notes")).json == []

    foreign = await globex.get(f"/notes/{note_id}")
    missing = await globex.get(f"/notes/{uuid.uuid4()}")
    assert (foreign.status, foreign.body) == (404, missing.body)


async def test_same_key_twice_answers_the_first_result_and_another_body_is_refused(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    send = {"json_body": {"text": "once"}, "headers": {"idempotency-key": "same"}}
    first, second = await acme.post("/notes", **send), await acme.post("/notes", **send)
    assert first.body == second.body
    assert second.header("idempotent-replayed") == "true"
    assert (await acme.get("/notes")).json == ["once"]

    other = await acme.post("/notes", json_body={"text": "other"}, headers={"idempotency-key": "same"})
    assert (other.status, other.json["code"]) == (409, "idempotency.key_reused")


async def test_twenty_at_once_with_one_key_make_one_note(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    sends = [
        acme.post("/notes", json_body={"text": "x"}, headers={"idempotency-key": "k"}) for _ in range(20)
    ]
    answers = await asyncio.gather(*sends)
    assert {a.status for a in answers} == {201}
    assert len({a.body for a in answers}) == 1
    assert (await acme.get("/notes")).json == ["x"]


async def test_a_missing_key_is_refused_and_nothing_is_written(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    answer = await acme.post("/notes", json_body={"text": "x"})
    assert (answer.status, answer.json["code"]) == (422, "idempotency.key_missing")
    assert (await acme.get("/notes")).json == []


async def test_a_bad_body_names_every_field(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    body = {
        "text": "",
        "stars": 9,
        "colour": "red",
        "parts": [{"label": "a"}, {"label": "", "amount_minor": "1"}],
    }
    answer = await acme.post("/notes", json_body=body, headers={"idempotency-key": "k"})
    assert answer.status == 422
    assert set(answer.json["fields"]) == {
        "text", "stars", "colour", "parts[0].amount_minor", "parts[1].label", "parts[1].amount_minor",
    }  # fmt: skip


async def test_a_body_over_the_routes_limit_is_413_and_broken_json_400(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    large = await acme.post("/notes", json_body={"text": "x" * 3_000}, headers={"idempotency-key": "k"})
    assert (large.status, large.json["code"]) == (413, "body.too_large")
    json_headers = {"idempotency-key": "k", "content-type": "application/json"}
    broken = await acme.post("/notes", body=b"{", headers=json_headers)
    assert (broken.status, broken.json["code"]) == (400, "body.malformed")


async def test_unknown_host_is_421_and_wrong_method_405(toy: RunningApp) -> None:
    assert (await toy.client("evil.example").get("/hello")).status == 421
    wrong = await toy.client().request("DELETE", "/notes")
    assert (wrong.status, wrong.header("allow")) == (405, "GET, POST")
    assert (await toy.client().get("/hello")).json == {"hello": "world"}


async def test_without_a_session_401_and_without_the_permission_403(toy: RunningApp) -> None:
    assert (await toy.client().get("/notes")).status == 401
    guest = await signed_in(toy, role="guest")
    assert (await guest.get("/notes")).status == 200
    refused = await guest.post("/notes", json_body={"text": "x"}, headers={"idempotency-key": "k"})
    assert (refused.status, refused.json["code"]) == (403, "permission.missing")


async def test_a_request_from_another_site_is_refused(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    send = {"json_body": {"text": "x"}, "headers": {"idempotency-key": "k"}}
    for origin in ("https://evil.example", "null", None):
        answer = await acme.post("/notes", origin=origin, **send)
        assert (answer.status, answer.json["code"]) == (403, "request.cross_site")
    cross = {**send["headers"], "sec-fetch-site": "cross-site"}
    assert (await acme.post("/notes", json_body={"text": "x"}, headers=cross)).status == 403
    assert (await acme.post("/notes", **send)).status == 201


async def test_a_crash_tells_the_trace_id_and_no_detail(toy: RunningApp) -> None:
    answer = await toy.client().get("/crash", headers={"accept": "text/html"})
    assert answer.status == 500
    assert "secret detail" not in answer.text
    assert answer.header("trace-id") in answer.text


async def test_a_route_that_forgets_its_audit_row_rolls_back(toy: RunningApp) -> None:
    acme = await signed_in(toy)
    assert (await acme.post("/forgetful", json_body={"text": "x"})).status == 500
    assert (await acme.get("/notes")).json == []


async def test_health_answers_and_metrics_are_for_the_operator_only(toy: RunningApp) -> None:
    assert (await toy.client().get("/-/healthz")).status == 200
    assert (await toy.client().get("/-/readyz")).status == 200
    await toy.client().get("/hello")
    assert b'route="GET /hello"' in (await toy.client().get("/-/metrics")).body
    assert (await toy.client(address="203.0.113.9").get("/-/metrics")).status == 404


async def test_only_a_front_of_ours_is_told_whose_an_answer_is(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    for told in (False, True):
        settings = make_settings((ROOM,), http=HttpSection(tenant_told=told))
        async with app_running(cluster, (ROOM,), tmp_path, settings=settings) as app:
            acme = await signed_in(app)
            (tenant,) = await app.admin("select tenant_id from tenant")
            answer = await acme.get("/notes")
            assert answer.header("x-shipworthy-tenant") == (str(tenant["tenant_id"]) if told else None)
            assert answer.header("cache-control") == "no-store"
            assert (await app.client().get("/-/healthz")).header("x-shipworthy-tenant") is None
