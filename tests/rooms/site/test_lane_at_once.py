"""What the lane has ready for the wire is what it would have sent as messages, and nothing else is ready."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rooms.site.conftest import Author


def ready(person: Author, path: str, *, method: str = "GET", host: str | None = None, **headers: str) -> Any:
    raw_path, _, query = path.partition("?")
    sent = {"host": host or person.host, **{n.replace("_", "-"): v for n, v in headers.items()}}
    return person.app.asgi.at_once(
        {
            "method": method,
            "raw_path": raw_path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in sent.items()],
        }
    )


def parsed(answer: tuple[bytes, bytes]) -> tuple[int, list[tuple[str, str]], bytes]:
    head, body = answer
    first, *lines = head.decode("latin-1").removesuffix("\r\n").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    return int(first.split(" ")[1]), headers, body  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/about", {}),
        ("/about", {"accept_encoding": "gzip, br"}),
        ("/about", {"accept_encoding": "gzip;q=0"}),
        ("/about", {"if_none_match": "*"}),
        ("/about?utm=1", {"accept_encoding": "gzip"}),
        ("/nothing-here", {"accept_encoding": "gzip"}),
        ("/nothing-here", {"if_none_match": "*"}),
        ("/ABOUT", {}),
        ("/robots.txt", {}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_bytes_and_messages_are_the_same_answer(
    acme: Author, path: str, headers: dict[str, str], method: str
) -> None:
    await acme.show("About", "/about")
    assert ready(acme, path, **headers) is None  # nothing is kept yet
    await acme.visitor.until_hit(path)
    usual = await acme.visitor.ask(path, method=method, **headers)
    status, shown, body = parsed(ready(acme, path, method=method, **headers))
    assert (status, shown, body) == (usual.status, usual.headers, usual.body)


async def test_a_known_etag_of_either_form_is_answered_without_a_body(acme: Author) -> None:
    await acme.show("About", "/about")
    await acme.visitor.until_hit("/about")
    for encoding in ("identity", "gzip", "br"):
        etag = (await acme.visitor.ask("/about", accept_encoding=encoding)).header("etag")
        assert etag is not None
        answer = ready(acme, "/about", accept_encoding=encoding, if_none_match=f'"other", {etag}')
        assert (parsed(answer)[0], answer[1]) == (304, b"")


async def test_only_what_is_fresh_and_asked_for_plainly_is_ready(acme: Author) -> None:
    await acme.show("About", "/about")
    await acme.visitor.until_hit("/about")
    await acme.visitor.until_hit("/ABOUT")
    assert ready(acme, "/about") is not None
    assert ready(acme, "/about", method="POST") is None
    assert ready(acme, "/ABOUT?utm=1") is None  # the redirect takes the query along
    for host in ("localhost", "localhost:8000", "unknown.example", ""):
        assert ready(acme, "/about", host=host or "-") is None
    await acme.show("Prices", "/prices")  # the menu has changed: what is kept is out of date
    assert ready(acme, "/about") is None
    await acme.visitor.until_hit("/about")
    assert b"Prices" in ready(acme, "/about")[1]
