"""Asking the app each case through everything a request goes through, and what it answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from tests.support.client import Answer, Client
from tests.support.multipart import CONTENT_TYPE, multipart

from benchmarks.edge.corpora import Case, path_of
from shipworthy.kernel.edge.guard import Guard

# Refused by how it is written, by what routes declare, or as an attack; never because a business rule said no.
_BY_THE_EDGE = ("edge.", "body.", "query.")
JSON = {"accept": "application/json"}


async def ask(client: Client, case: Case, nth: int) -> Answer:
    """Put a text where the case says, into a request that is valid otherwise."""
    key = {**JSON, "idempotency-key": f"case-{nth}"}
    if case.place == "query":
        return await client.get(f"/customers?{urlencode({'q': case.text})}", headers=JSON)
    if case.place == "path":
        return await client.get(path_of(case.text), headers=JSON)
    if case.place == "header":
        return await client.get("/customers", headers={**JSON, "x-note": quote(case.text)})
    if case.place == "user-agent":
        return await client.get(
            "/customers",
            headers={**JSON, "user-agent": case.text.encode("latin-1", "replace").decode("latin-1")},
        )
    if case.place == "form":
        return await client.post("/customers", form={"name": case.text, "country": "DE"}, headers=key)
    if case.place == "json":
        return await client.post(
            "/api/customers", json_body={"name": case.text, "country": "DE"}, headers=key
        )
    if case.place == "multipart":
        body = multipart({"alt": case.text}, {"file": ("a.png", b"no picture")})
        return await client.post("/assets", body=body, headers={**JSON, "content-type": CONTENT_TYPE})
    xml = {**key, "content-type": "application/xml"}
    return await client.post("/api/customers", body=case.text.encode(), headers=xml)


def is_blocked(answer: Answer) -> bool:
    """Say whether the edge refused it. A page that is not there is no refusal."""
    if answer.status < 400 or answer.status == 404:
        return False
    return str(answer.json.get("code", "")).startswith(_BY_THE_EDGE)


@contextmanager
def timed_guard() -> Iterator[list[float]]:
    """Yield the milliseconds of CPU that the guard took of each request, head and body together."""
    took_ms: list[float] = []
    head, body = Guard.head, Guard.body

    def timed_head(self: Guard, *asked: Any) -> None:
        took_ms.append(0.0)
        _timed(took_ms, head, self, *asked)

    def timed_body(self: Guard, *asked: Any) -> None:
        _timed(took_ms, body, self, *asked)

    Guard.head, Guard.body = timed_head, timed_body  # type: ignore[method-assign]
    try:
        yield took_ms
    finally:
        Guard.head, Guard.body = head, body  # type: ignore[method-assign]


def _timed(took_ms: list[float], looks: Any, *asked: Any) -> None:
    began = time.thread_time()  # CPU: the machine may be busy with others
    try:
        looks(*asked)
    finally:
        took_ms[-1] += (time.thread_time() - began) * 1000
