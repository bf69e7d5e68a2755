"""Publishing while bots read: how long until a page is seen, seen as edited, and gone; and listed, and not.

The examiner writes a page of its own, looks where visitors look, and takes it away again. Every time counts
from when the app said that it was done.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shipworthy.contract.manifest import NamedLoad, Publishing
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import Call
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, Unanswered
from shipworthy.gauntlet.probes.crawl_rules import SKEW_S, Entry, Wrong, moments_of
from shipworthy.gauntlet.probes.crawl_survey import Bot, Survey
from shipworthy.gauntlet.probes.page_assets import path_of

FRESH_S_MAX = 60.0  # of the playbook, for what a sitemap lists
SEEN, EDITED, GONE, LISTED, UNLISTED = "seen", "edited", "gone", "listed", "unlisted"
_PARAMETER = re.compile(r"\{\w+\}")
_MISSING = (404, 410)
_LOOKS_AFTER = 6  # after an edit was seen: a second process may still show what was there before
_PAGE_PAUSE_S, _SITEMAP_PAUSE_S, _ROUND_PAUSE_S = 0.05, 0.5, 3.0


@dataclass
class Fresh:
    """What was seen over all rounds. Units: seconds."""

    after_s: dict[str, list[float]] = field(default_factory=dict)  # what -> after how long, each round
    wrongs: list[Wrong] = field(default_factory=list)

    def worst_s(self, *what: str) -> float | None:
        return max((seconds for name in what for seconds in self.after_s.get(name, ())), default=None)


def publisher_of(exam: Exam, bot: Bot, load: NamedLoad, seen: Survey, *, fresh_s: float) -> Publisher:
    """Errors: Unmeasurable when the target does not say how to publish, or nobody can."""
    if load.publishing is None:
        raise Unmeasurable(
            "The load does not say how a page is published.",
            fix="Add publishing = { create, body, id, address, publish, edit, unpublish } to the [[load]].",
        )
    if not exam.people:
        raise Unmeasurable("Nobody can sign in and publish.", fix="Add [login] and a [[credential]].")
    return Publisher(exam, bot, load.publishing, sitemap=seen.listing.files[:1], fresh_s=fresh_s)


class Publisher:
    """The examiner as somebody who publishes."""

    def __init__(
        self, exam: Exam, bot: Bot, how: Publishing, *, sitemap: tuple[str, ...], fresh_s: float
    ) -> None:
        self._exam, self._bot, self._how = exam, bot, how
        self._sitemap, self._fresh_s = sitemap, fresh_s
        self._person: Credential = exam.people[0]
        self._id = self._etag = self._path = ""
        self._is_shown = False
        self.fresh = Fresh()

    async def rounds(self, stop: asyncio.Event) -> Fresh:
        """Publish, edit and take back until `stop` is set, at least once.

        Errors:  Undecided when the app does not do what its target says.
        """
        self._exam.heal_later("the page the examiner published", self._take_back)
        while True:
            try:
                await self._round()
            except Unanswered as silent:
                self._wrong(SEEN, f"while publishing: {silent}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _ROUND_PAUSE_S)
            if stop.is_set() or self.fresh.wrongs:
                return self.fresh

    async def _round(self) -> None:
        first, second = _mark(), _mark()
        created = await self._sent(self._how.create, first)
        self._id = str(_at(created, self._how.id))
        said = self._address(created)
        if said and self._how.publish:
            draft = await self._bot.get(said)
            if draft.status not in _MISSING:
                self._wrong(SEEN, f"a draft answers {draft.status} before it is published")
        published = await self._published()
        self._path = said or self._address(published)
        if not self._path:
            raise Undecided(f"No answer holds the page's address ({self._how.address!r}).",
                            fix="Name the field that holds it in `address` of the load's publishing.")  # fmt: skip
        await self._until(SEEN, lambda: self._shows(first))
        await self._until(LISTED, lambda: self._lists(True))
        if self._how.edit:
            await self._edited(first, second)
        if self._how.unpublish:
            await self._take_back()
            await self._until(GONE, self._is_gone)
            await self._until(UNLISTED, lambda: self._lists(False))

    async def _published(self) -> Any:
        self._is_shown = True
        return await self._sent(self._how.publish, "") if self._how.publish else None

    async def _edited(self, first: str, second: str) -> None:
        at = datetime.now(UTC)
        await self._sent(self._how.edit, second)
        await self._published()
        if not await self._until(EDITED, lambda: self._shows(second)):
            return
        for _ in range(_LOOKS_AFTER):
            if first in (await self._bot.get(self._path)).text:
                self._wrong(EDITED, f"{self._path} shows again what stood there before the edit")
                return
        # Only where a lastmod is said at all: it must move with the words.
        entry = await self._entry()
        if entry is not None and entry.lastmod:
            await self._until(
                LISTED, lambda: self._is_dated(at - timedelta(seconds=SKEW_S)), said="dated by its last edit"
            )

    async def _take_back(self) -> None:
        if self._is_shown and self._how.unpublish:
            await self._sent(self._how.unpublish, "")
            self._is_shown = False

    async def _shows(self, mark: str) -> bool:
        answer = await self._bot.get(self._path)
        return answer.status == 200 and mark in answer.text

    async def _is_gone(self) -> bool:
        return (await self._bot.get(self._path)).status in _MISSING

    async def _lists(self, is_there: bool) -> bool:
        return (await self._entry() is not None) == is_there

    async def _is_dated(self, at: datetime) -> bool:
        entry = await self._entry()
        moments = moments_of(entry.lastmod) if entry else None
        return moments is not None and moments[1] >= at

    async def _entry(self) -> Entry | None:
        listing = await self._bot.listing(self._sitemap)
        own = (e for e in listing.entries if self._bot.is_own(e.loc) and path_of(e.loc) == self._path)
        return next(own, None)

    async def _until(self, what: str, is_so: Callable[[], Awaitable[bool]], *, said: str = "") -> bool:
        """Look until it is so, and note after how long; too long is wrong."""
        if what in (LISTED, UNLISTED) and not self._sitemap:
            return False
        pause_s = _SITEMAP_PAUSE_S if what in (LISTED, UNLISTED) else _PAGE_PAUSE_S
        began = time.monotonic()
        while not await is_so():
            if time.monotonic() - began > self._fresh_s:
                self._wrong(
                    what,
                    f"{self._path} is not {said or what} {self._fresh_s:g} s after the app said it was done",
                )
                return False
            await asyncio.sleep(pause_s)
        self.fresh.after_s.setdefault(what, []).append(time.monotonic() - began)
        return True

    def _wrong(self, what: str, text: str) -> None:
        self.fresh.wrongs.append(Wrong(what, self._path, text))

    def _address(self, answer: Any) -> str:
        """Return the path an answer says the page is at; empty where it says none."""
        if self._how.address.startswith("/"):
            return _PARAMETER.sub(self._id, self._how.address)
        said = _at(answer, self._how.address)
        return path_of(str(said)) if said else ""

    async def _sent(self, route: str, mark: str) -> Any:
        """Send one of the routes with the page's body where it takes one; return its JSON answer.

        Errors:  Undecided when it is refused.
        """
        method, _, path = route.partition(" ")
        headers = {"accept": "application/json", "idempotency-key": str(uuid.uuid4())}
        if self._etag and route != self._how.create:
            headers["if-match"] = self._etag
        body = json.loads(json.dumps(self._how.body).replace("{mark}", mark)) if mark else None
        call = Call(method=method, path=_PARAMETER.sub(self._id, path), json_body=body, headers=headers)
        answer: Answer = await ask_route(self._exam, call, self._person)
        if answer.status >= 400:
            raise Undecided(f"{method} {call.path} answered {answer.status}: {answer.text[:200]}",
                            fix="Say in the load's publishing what the app takes.")  # fmt: skip
        self._etag = answer.header("etag")
        return answer.json if "json" in answer.header("content-type") and answer.body else None


def _mark() -> str:
    return f"Examined {secrets.token_hex(5)}"


def _at(document: Any, place: str) -> Any:
    for name in place.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
