"""People with a form on their website, and visitors who fill it in."""

from __future__ import annotations

from typing import Any

from tests.rooms.site.conftest import Author, Clock
from tests.support.client import Answer
from tests.support.page import parse

GOOD = {"name": "Ada Lovelace", "email": "ada@example.com", "message": "Do you come on Saturdays?"}


async def with_form(person: Author, path: str = "/contact", **data: Any) -> str:
    """Publish a page with a form; return where that is sent, as the page says."""
    block = {"id": "ask", "type": "form", "data": data}
    await person.show("Contact", path, blocks=[{"type": "text", "data": {"body": "Hello."}}, block])
    return str(parse(await person.visitor.text(path)).one("form").attributes["action"])


async def fill(person: Author, action: str, *, address: str = "127.0.0.1", **kwargs: Any) -> Answer:
    return await person.app.client(person.host, address=address).post(action, **kwargs)


def sealed_in(answer: Answer) -> dict[str, str]:
    """Return what the second step sends."""
    assert answer.status == 200, answer.text
    inputs = parse(answer.text).all("input")
    return {str(e.attributes["name"]): str(e.attributes["value"] or "") for e in inputs}


async def review(person: Author, action: str, clock: Clock, **fields: str) -> dict[str, str]:
    """Fill in a form and read what is shown, for three seconds."""
    sent = sealed_in(await fill(person, action, form={**GOOD, **fields}))
    clock.move(3)
    return sent
