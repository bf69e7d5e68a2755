"""`Inbox`: what the examined instance mailed, read where it says that it keeps it."""

from __future__ import annotations

import asyncio
import re
import time
from urllib.parse import urlsplit

from shipworthy.gauntlet.http import HttpSession, Unanswered

_POLL_S = 0.1
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


class NotMailed(Exception):
    """What was waited for did not come. The message says what did."""


class Inbox:
    """The development inbox at `url`: `mails.json` beside its page lists the mails, newest first."""

    def __init__(self, url: str) -> None:
        self._session = HttpSession(url)

    async def link(self, *, to: str, path: str, within_s: float) -> str:
        """Return the link with this path in the newest mail to somebody that has one.

        Errors:  NotMailed when none comes in time.
        """
        deadline, came = time.monotonic() + within_s, 0
        while time.monotonic() < deadline:
            try:
                mails = [m for m in (await self._session.get("/mails.json")).json or [] if m["to"] == to]
            except Unanswered as silent:
                raise NotMailed(f"The inbox cannot be read: {silent}.") from silent
            came = len(mails)
            for mail in mails:
                for link in _LINK.findall(mail["text"]):
                    if urlsplit(link).path == path:
                        return str(link)
            await asyncio.sleep(_POLL_S)
        raise NotMailed(f"No mail to {to} with a link to {path} within {within_s:g} s; {came} others came.")

    async def close(self) -> None:
        await self._session.close()
