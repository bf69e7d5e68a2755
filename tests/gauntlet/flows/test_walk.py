"""A flow in a real browser: walked to its end on a sound app, broken at the right step on one that is not.

Covers: inbox.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from shipworthy.contract.manifest import Flow, FlowStep
from shipworthy.contract.target import Handle
from shipworthy.gauntlet.browser import Browser, Profile, chromium
from shipworthy.gauntlet.flows import walk as walking
from shipworthy.gauntlet.flows.inbox import Inbox, NotMailed
from shipworthy.gauntlet.flows.walk import Walked, filled, in_words, walk
from shipworthy.gauntlet.view import QUIET
from tests.support.browser import needs_chromium
from tests.support.ledger import served

pytestmark = [needs_chromium, pytest.mark.browser]
_FORM = """<!doctype html><title>Notes</title>
<form method=post action=/notes><label>Title <input name=title></label>
<label>Folder <select name=folder><option>home<option>work</select></label>
<button type=button onclick="sure.showModal()">Save</button>
<dialog id=sure><button>Save</button></dialog></form>"""
FLOW = Flow(
    name="note",
    title="Write a note",
    steps=(
        FlowStep(do="open", what="/notes/new"),
        FlowStep(do="fill", what="Title", value="About {mark}"),
        FlowStep(do="choose", what="Folder", value="work"),
        FlowStep(do="press", what="Save"),
        FlowStep(do="press", what="Save"),  # of the dialog
        FlowStep(do="see", what="About {mark} is in work"),
        FlowStep(do="follow", what="Publish"),
        FlowStep(do="mail", what="/confirm", value="{email}"),
        FlowStep(do="see", what="css=h1:has-text('Confirmed')"),
    ),
)
KNOWN = {"mark": "mark1", "email": "ann@sample.example"}
# Each defect of the small app, the step at which a person is lost (a page may tell its trouble while the
# next step looks at it), and what must be said of it.
DEFECTS = [
    ("no_page", {1}, "/notes/new answered 404"),
    ("no_field", {2}, "There is no field 'Title'"),
    ("no_button", {4}, "There is no button 'Save'"),
    ("crash", {5, 6}, "/notes answered 500"),
    ("lost", {6}, "'About mark1 is in work' does not stand on the page"),
    ("script", {5, 6}, "A script of the page failed: oh"),
    ("no_link", {7}, "There is no link 'Publish'"),
    ("no_mail", {8}, "No mail to ann@sample.example with a link to /confirm"),
]


@asynccontextmanager
async def notes(defect: str = "") -> AsyncIterator[Handle]:
    """A small app in which people write notes and confirm them by mail, with one defect or none."""
    mails: list[dict[str, str]] = []

    async def form(_request: Request) -> Response:
        page = _FORM.replace("Title", "Name") if defect == "no_field" else _FORM
        page = (
            page.replace("<button type=button", "<button disabled type=button")
            if defect == "no_button"
            else page
        )
        return HTMLResponse(page, status_code=404 if defect == "no_page" else 200)

    async def write(request: Request) -> Response:
        if defect == "crash":
            return HTMLResponse("sorry", status_code=500)
        note = dict(parse_qsl((await request.body()).decode()))
        said = "nothing" if defect == "lost" else f"{note['title']} is in {note['folder']}"
        link = "" if defect == "no_link" else "<a href=/publish>Publish</a>"
        script = "<script>setTimeout(() => { throw new Error('oh') })</script>" if defect == "script" else ""
        return HTMLResponse(f"<!doctype html><title>Note</title><p>{said}</p>{link}{script}")

    async def publish(request: Request) -> Response:
        if defect != "no_mail":
            text = f"Go to {request.base_url}confirm?token=1."
            mails.insert(0, {"id": "1", "to": "ann@sample.example", "subject": "Confirm", "text": text})
        return HTMLResponse("<!doctype html><title>Mailed</title>We have written to you.")

    async def confirm(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Done</title><h1>Confirmed</h1>")

    async def inbox(_request: Request) -> Response:
        return JSONResponse(mails)

    routes = [
        Route("/notes/new", form),
        Route("/notes", write, methods=["POST"]),
        Route("/publish", publish),
        Route("/confirm", confirm),
        Route("/mails.json", inbox),
    ]
    async with served(Starlette(routes=routes)) as base_url:
        yield Handle(base_url=base_url, mail_url=f"{base_url}/")


async def walked(browser: Browser, handle: Handle) -> Walked:
    assert handle.mail_url
    inbox = Inbox(handle.mail_url)
    desk = Profile(name="desk", width_px=1280, height_px=800)
    try:
        async with browser.tab(desk) as tab:
            tab.page.set_default_timeout(walking.STEP_TIMEOUT_S * 1000)
            return await walk(tab, FLOW, handle=handle, known=KNOWN, inbox=inbox, view=QUIET)
    finally:
        await inbox.close()


async def test_a_sound_app_is_walked_to_the_end_and_each_planted_defect_breaks_its_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with chromium("http://127.0.0.1/") as browser:
        async with notes() as handle:
            result = await walked(browser, handle)
        assert (result.broken, len(result.steps)) == ("", len(FLOW.steps))
        assert [step.words for step in result.steps[:3]] == ["Open /notes/new", "Write About mark1 into Title", "Choose work in Folder"]  # fmt: skip
        for step in result.steps:
            assert step.picture.startswith(b"\xff\xd8") and step.small.startswith("data:image/jpeg;base64,")
            assert len(step.small) < 8_000
        monkeypatch.setattr(walking, "STEP_TIMEOUT_S", 2.0)  # only how long a missing thing is waited for
        for defect, steps, said in DEFECTS:
            async with notes(defect) as handle:
                result = await walked(browser, handle)
            assert said in result.broken, (defect, result.broken)
            assert len(result.steps) in steps, defect


async def test_a_mail_to_somebody_else_or_with_another_link_is_not_taken() -> None:
    async with notes() as handle:
        inbox = Inbox(handle.mail_url or "")
        try:
            with pytest.raises(NotMailed, match="0 others came"):
                await inbox.link(to="bob@sample.example", path="/confirm", within_s=0.2)
        finally:
            await inbox.close()


def test_what_is_typed_into_a_password_is_not_said_and_unknown_braces_stay() -> None:
    step = FlowStep(do="fill", what="Password", value="{password}")
    assert in_words(step, {"password": "secret"}) == "Write … into Password"
    assert filled("{mark} {other} {", KNOWN) == "mark1 {other} {"
