"""Doors: a refusal by the head alone, with the same headers and words as the route's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shipworthy.kernel.errors import Busy, Refusal
from shipworthy.kernel.http.doors import Doors
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.route import Route, route
from tests.kernel.toy import ROOM
from tests.support.app import make_settings


class Runtime:
    metrics = Metrics()
    settings = make_settings((ROOM,))


def doors(refusal: Refusal | None, **declared: Any) -> tuple[Doors, list[Refusal]]:
    rendered: list[Refusal] = []

    def words(refused: Refusal) -> bytes:
        rendered.append(refused)
        return b"<p>" + refused.message.encode()

    made: Route = replace(
        route("POST", "/in", ROOM.routes[0].handler, **declared),
        door=lambda _runtime: lambda _request: refusal,
    )
    return Doors(Runtime(), (made, *ROOM.routes), words=words), rendered  # type: ignore[arg-type]


def asked(method: str = "POST", path: bytes = b"/in", **headers: str) -> Mapping[str, Any]:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {
        "method": method,
        "raw_path": path,
        "query_string": b"",
        "headers": raw,
        "client": ("127.0.0.1", 1),
    }


def test_an_open_door_and_a_route_without_one_say_nothing() -> None:
    opened, _ = doors(None)
    assert opened.at_once(asked()) is None
    shut, _ = doors(Busy("toy.busy", "Not now.", retry_after_s=3))
    assert shut.at_once(asked(method="GET")) is None
    assert shut.at_once(asked(path=b"/in/")) is None
    assert shut.at_once(asked()) is not None


@pytest.mark.parametrize(
    ("media", "headers", "is_json"),
    [
        ("html", {}, False),
        ("html", {"accept": "application/json"}, True),
        ("html", {"content-type": "application/json"}, True),
        ("json", {}, True),
    ],
)
def test_people_get_a_page_and_programs_a_document(
    media: str, headers: dict[str, str], is_json: bool
) -> None:
    shut, rendered = doors(Busy("toy.busy", "Not now.", retry_after_s=3), media=media)
    for _ in range(3):
        answer = shut.at_once(asked(**headers))
        assert answer
        head, body = answer
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nretry-after: 3\r\n" in head
        assert b"\r\ncontent-length: %d\r\n" % len(body) in head
        assert (b"toy.busy" in body) is is_json
        assert (b"style-src" in head) is not is_json
    assert len(rendered) == (0 if is_json else 1)  # made once, kept


def test_a_refusal_carries_the_callers_trace() -> None:
    shut, _ = doors(Busy("toy.busy", "Not now.", retry_after_s=3))
    answer = shut.at_once(asked(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
    assert answer
    assert b"\r\ntrace-id: 0af7651916cd43dd8448eb211c80319c\r\n" in answer[0]
