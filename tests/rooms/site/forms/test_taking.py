"""What visitors send is kept once, whatever programs and neighbours try; and its site's people are told by mail.

Covers: mails.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from shipworthy.kernel.queue.worker import run_job
from shipworthy.rooms.site.forms.mails import MAIL_JOB
from shipworthy.rooms.site.jobs import JOBS
from tests.rooms.site.conftest import Author, Clock, author
from tests.rooms.site.forms.conftest import GOOD, fill, review, sealed_in, with_form
from tests.support.app import RunningApp
from tests.support.page import parse


async def kept(person: Author) -> list[Any]:
    return list(await person.app.admin("select * from message where tenant_id = $1", person.tenant_id))


async def test_a_message_is_shown_once_more_then_kept(acme: Author, clock: Clock) -> None:
    action = await with_form(acme, asks_phone=True)
    first = await fill(acme, action, form={**GOOD, "phone": "0431 1"})
    assert first.status == 200 and GOOD["message"] in first.text and await kept(acme) == []
    assert (first.header("set-cookie"), first.header("cache-control")) == (None, "no-store")
    assert "form-action 'self'" in (first.header("content-security-policy") or "")
    clock.move(3)
    thanks = await fill(acme, action, form=sealed_in(first))
    assert thanks.status == 200 and "Thank you" in thanks.text
    (row,) = await kept(acme)
    assert (row["sender_name"], row["sender_email"], row["sender_phone"], row["message_text"], row["page_title"]) == (
        GOOD["name"], GOOD["email"], "0431 1", GOOD["message"], "Contact")  # fmt: skip


async def test_twenty_at_once_are_one_message(acme: Author, clock: Clock) -> None:
    action = await with_form(acme)
    sent = await review(acme, action, clock)
    answers = await asyncio.gather(*(fill(acme, action, form=sent, address=f"10.0.0.{n}") for n in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len(await kept(acme)) == 1


async def test_what_is_wrong_is_said_where_it_stands_and_what_was_written_stays(acme: Author) -> None:
    action = await with_form(acme, language="de")
    answer = await fill(acme, action, form={**GOOD, "email": "nowhere"})
    page = parse(answer.text)
    assert (answer.status, page.one("h1").text, page.one("html").attributes["lang"]) == (
        422, "Bitte sehen Sie noch einmal nach", "de")  # fmt: skip
    field = next(e for e in page.all("input") if e.attributes["name"] == "email")
    assert (field.attributes["value"], field.attributes["aria-invalid"]) == ("nowhere", "true")
    assert page.one("textarea").text.strip() == GOOD["message"]
    again = await fill(acme, action, form={**GOOD, "change": "1"})
    assert again.status == 200 and parse(again.text).one("textarea").text.strip() == GOOD["message"]


async def test_programs_keep_nothing(acme: Author, clock: Clock) -> None:
    action = await with_form(acme)
    trapped = await fill(
        acme, action, form={**await review(acme, action, clock), "website": "http://x.example"}
    )
    assert trapped.status == 200 and "Thank you" in trapped.text
    first = sealed_in(await fill(acme, action, form=GOOD))
    quick = await fill(acme, action, form=first)
    assert "very quick" in quick.text
    for changed in ({"message": "Buy this"}, {"seal": "x"}, {"seal": ""}):
        assert (
            "Is this right?" in (await fill(acme, action, form={**first, **changed}, address="10.0.0.1")).text
        )
    clock.move(3_700)
    assert "Is this right?" in (await fill(acme, action, form=first, address="10.0.0.2")).text
    assert await kept(acme) == []


async def test_a_network_sends_a_few_a_minute(acme: Author) -> None:
    action = await with_form(acme)
    statuses = [(await fill(acme, action, form=GOOD)).status for _ in range(14)]
    assert statuses == [200] * 12 + [429] * 2
    assert (await fill(acme, action, form=GOOD, address="10.9.8.7")).status == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"body": b"x" * 70_000}, 413),
        ({"body": b"&".join(b"a%d=1" % n for n in range(50))}, 400),
        ({"body": b"name=%ff%00%ed%a0%80&email=%0d%0aBcc:x&message=%00"}, 422),
        ({"body": b"\xff\x00"}, 422),
        ({"form": GOOD, "origin": "https://evil.example"}, 403),
        ({"form": GOOD, "origin": None}, 200),
    ],
    ids=["large", "many", "control", "noise", "elsewhere", "no origin"],
)
async def test_bodies_no_form_sends(acme: Author, request_: Any, status: int) -> None:
    action = await with_form(acme)
    assert (await fill(acme, action, **request_)).status == status
    assert await kept(acme) == []


async def test_a_form_is_there_while_its_page_shows_it_to_visitors_of_its_own_site(
    app: RunningApp, acme: Author, clock: Clock
) -> None:
    globex = await author(app, "Globex")
    action = await with_form(acme)
    theirs = await with_form(globex)
    sent = await review(acme, action, clock)
    for nowhere in (
        theirs,
        "/-/form/",
        "/-/form/x/y",
        f"/-/form/{uuid.uuid4()}/ask",
        f"{action}x",
        f"{action}%00",
    ):
        assert (await fill(acme, nowhere, form=sent)).status == 404, nowhere
    assert (await app.client(f"preview.{acme.host}").post(action, form=sent)).status == 405
    assert (await app.client(acme.host).request("PUT", action, form=sent)).status == 405
    page = next(p for p in (await acme.get("/api/pages")).json["pages"] if p["path"] == "/contact")
    await acme.unpublish(page)
    assert (await fill(acme, action, form=sent)).status == 404
    assert await kept(acme) == await kept(globex) == []


async def test_the_address_a_form_names_hears_of_it_once(app: RunningApp, acme: Author, clock: Clock) -> None:
    mailer = app.runtime.mailer = _Mailer()  # type: ignore[assignment]
    action = await with_form(acme, notify="office@acme.example")
    sent = await review(acme, action, clock, name="Eve\r\nBcc: x@y.example")
    for _ in range(2):
        await fill(acme, action, form=sent)
    job = next(kind for kind in JOBS if kind.kind == MAIL_JOB)
    rows = await app.admin("select payload from pgqueuer where entrypoint = $1", MAIL_JOB)
    assert len(rows) == 1
    async with app.role("worker") as database:
        for _ in range(2):
            await run_job(
                job, replace(app.runtime, database=database, state={}), rows[0]["payload"], attempt=0
            )
    (mail,) = mailer.sent
    assert (mail["to"], mail["reply_to"]) == ("office@acme.example", GOOD["email"])
    assert "\n" not in mail["subject"] and GOOD["message"] in mail["text"]


async def test_a_form_that_names_no_address_tells_nobody(app: RunningApp, acme: Author, clock: Clock) -> None:
    action = await with_form(acme, notify="the office")
    await fill(acme, action, form=await review(acme, action, clock))
    assert len(await kept(acme)) == 1
    assert not await app.admin("select from pgqueuer where entrypoint = $1", MAIL_JOB)


class _Mailer:
    """Keeps what the job hands to the mail server."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send(self, **mail: Any) -> None:
        self.sent.append(mail)
