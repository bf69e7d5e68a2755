"""`walk`: one declared flow in a browser tab, a picture after each step, until its end or where it breaks.

A step is given the time a patient person gives a page. What the page itself reports as broken (a server
error, an uncaught exception) breaks the flow as well: the next person may not be as lucky.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shipworthy.contract.manifest import Flow, FlowStep
from shipworthy.contract.target import Handle
from shipworthy.gauntlet.browser import Tab
from shipworthy.gauntlet.flows.inbox import Inbox, NotMailed
from shipworthy.gauntlet.view import View

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Response

STEP_TIMEOUT_S = 15.0  # a page that takes longer has lost its visitor, also on a busy machine
_THUMB_SCALE = 0.16  # of the report's small picture: 205 px wide, some 2 kB
_CSS = "css="


@dataclass(frozen=True, kw_only=True)
class Stepped:
    """One step that was taken. Units: `seconds`; pictures are JPEG, the small one for a page."""

    words: str
    seconds: float
    picture: bytes = b""
    small: str = ""  # a data: address


@dataclass(kw_only=True)
class Walked:
    """How far the flow went: all its steps, or up to the one that broke, which is the last."""

    steps: list[Stepped] = field(default_factory=list)
    broken: str = ""
    seen: str = ""  # the page's text where it broke
    url: str = ""


async def walk(
    tab: Tab, flow: Flow, *, handle: Handle, known: Mapping[str, str], inbox: Inbox | None, view: View
) -> Walked:
    """Take the flow's steps in order. `known` fills in what stands in braces."""
    trouble = _Trouble(tab.page)
    walked = Walked()
    for number, step in enumerate(flow.steps):
        view.progress(number, len(flow.steps), f"{flow.name}: {in_words(step, known)}")
        began = time.monotonic()
        missed = await _taken(tab.page, step, handle=handle, known=known, inbox=inbox)
        broken = trouble.told() or missed  # what the server or a script said is nearer to the cause
        picture, small = await _pictures(tab.page)
        words = in_words(step, known)
        seconds = time.monotonic() - began
        walked.steps.append(Stepped(words=words, seconds=seconds, picture=picture, small=small))
        if broken:
            walked.broken, walked.url, walked.seen = broken, tab.page.url, await _text_of(tab.page)
            break
    return walked


def in_words(step: FlowStep, known: Mapping[str, str]) -> str:
    """Return a step as a person would say it; what was typed into a password's field is not said."""
    what, value = filled(step.what, known), filled(step.value, known)
    shown = "…" if "{password}" in step.value or "{user.password}" in step.value else value
    return {
        "open": f"Open {what}",
        "fill": f"Write {shown} into {what}",
        "choose": f"Choose {shown} in {what}",
        "press": f"Press {what}",
        "follow": f"Follow {what}",
        "see": f"See {what}",
        "mail": f"Open the link {what} mailed to {shown}",
    }[step.do]


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return the text with what stands in braces filled in; what is not known stays."""
    return re.sub(r"\{([\w.]+)\}", lambda found: known.get(found[1], found[0]), text)


async def _taken(
    page: Page, step: FlowStep, *, handle: Handle, known: Mapping[str, str], inbox: Inbox | None
) -> str:
    """Take one step; return what kept it from being taken."""
    from playwright.async_api import Error

    what, value = filled(step.what, known), filled(step.value, known)
    try:
        match step.do:
            case "open":
                return await _opened(
                    page, (handle.site_url if step.host == "site" else handle.base_url) or "", what
                )
            case "mail":
                if inbox is None:
                    return "The app was not given an inbox that the examiner can read."
                return await _opened(page, "", await inbox.link(to=value, path=what, within_s=STEP_TIMEOUT_S))
            case "fill":
                await (await _field(page, what)).fill(value)
            case "choose":
                await (await _field(page, what)).select_option(value)
            case "press":
                await _press(page, what)
            case "follow":
                await _named(page, "link", what).click()
            case "see":
                await _text(page, what).first.wait_for(state="visible")
    except NotMailed as missing:
        return str(missing)
    except Error as failed:
        return _why(step, what, failed.message)
    return ""


async def _opened(page: Page, origin: str, path: str) -> str:
    response = await page.goto(origin.rstrip("/") + path, wait_until="load")
    if response is not None and response.status >= 400:
        return f"{path} answered {response.status}."
    return ""


async def _press(page: Page, what: str) -> None:
    dialog = page.locator("dialog[open]")
    place = dialog.last if await dialog.count() else page
    button = (
        place.locator(what) if what.startswith(_CSS) else place.get_by_role("button", name=what, exact=True)
    )
    await button.filter(visible=True).first.click()
    await page.wait_for_load_state("load")


async def _field(page: Page, what: str) -> Locator:
    """The field with this label, or else the first whose label begins so ("City optional")."""
    if what.startswith(_CSS):
        return page.locator(what).filter(visible=True).first
    exact = page.get_by_label(what, exact=True).filter(visible=True)
    if await exact.count():
        return exact.first
    return page.get_by_label(re.compile(rf"^\s*{re.escape(what)}(\s|$)")).filter(visible=True).first


def _named(page: Page, role: Any, what: str) -> Locator:
    found = page.locator(what) if what.startswith(_CSS) else page.get_by_role(role, name=what, exact=True)
    return found.filter(visible=True).first


def _text(page: Page, what: str) -> Locator:
    found = page.locator(what) if what.startswith(_CSS) else page.get_by_text(what)
    return found.filter(visible=True)


def _why(step: FlowStep, what: str, message: str) -> str:
    first = message.splitlines()[0]
    if "Timeout" not in first:
        return f"{first}."
    thing = {
        "fill": f"There is no field {what!r}",
        "choose": f"There is no field {what!r}, or it has no such option",
        "press": f"There is no button {what!r} that could be pressed",
        "follow": f"There is no link {what!r} that could be followed",
        "see": f"{what!r} does not stand on the page",
    }.get(step.do, "Nothing came")
    return f"{thing}, {STEP_TIMEOUT_S:g} s after the step before."


class _Trouble:
    """What a page reports as broken while somebody goes through it."""

    def __init__(self, page: Page) -> None:
        self._seen: list[str] = []
        page.on("response", self._answered)
        page.on("pageerror", self._crashed)

    def told(self) -> str:
        """Return the first trouble since it was asked last."""
        first = self._seen[0] if self._seen else ""
        self._seen.clear()
        return first

    # Methods, since Playwright hangs something of its own on each listener.
    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._seen.append(f"{response.request.method} {response.url} answered {response.status}.")

    def _crashed(self, error: Any) -> None:
        self._seen.append(f"A script of the page failed: {error}.")


async def _pictures(page: Page) -> tuple[bytes, str]:
    """Return what is seen now, whole and small; nothing of a page that cannot be drawn.

    A press may be on its way to another page: what is asked of the old one then fails once.
    """
    return await _drawn(page) or await _drawn(page) or (b"", "")


async def _drawn(page: Page) -> tuple[bytes, str] | None:
    from playwright.async_api import Error

    try:
        await page.wait_for_load_state("load")
        picture = await page.screenshot(type="jpeg", quality=70, animations="disabled")
        devtools = await page.context.new_cdp_session(page)
        size = page.viewport_size or {"width": 1280, "height": 800}
        clip = {"x": 0, "y": 0, **size, "scale": _THUMB_SCALE}
        small = await devtools.send(
            "Page.captureScreenshot",
            {"format": "jpeg", "quality": 45, "clip": clip, "captureBeyondViewport": False},
        )
        await devtools.detach()
    except Error:
        return None
    return picture, f"data:image/jpeg;base64,{small['data']}"


async def _text_of(page: Page) -> str:
    from playwright.async_api import Error

    try:
        return re.sub(r"\n\s*\n+", "\n", await page.inner_text("body", timeout=2_000)).strip()
    except Error:
        return ""
