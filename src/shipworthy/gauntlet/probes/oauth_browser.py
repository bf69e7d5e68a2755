"""A person's browser that signs in at the app through the stub, one step at a time.

Each has cookies of its own. Knows the way (app, provider, app) and whether somebody is signed
in afterwards; judges nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from shipworthy.contract.manifest import OauthClient
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.idp.stub import Stub

# What a person waits for at most before the app must say that the provider is not there.
CLEAN_WITHIN_S = 10.0
_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS_MAX = 5  # of the app's own pages; no sign-in is known to need more than two


class LostOnTheWay(Exception):
    """The browser did not get to where it was sent. The message says where it stopped."""

    def __init__(self, why: str, *, answer: Answer) -> None:
        self.why, self.answer = why, answer
        super().__init__(why)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The browser came back to the app: what it brought, what the app said, and who it is now.

    `answer` is None when the app said nothing in time.
    """

    callback: str
    answer: Answer | None
    proof: Answer
    silence: str = ""

    @property
    def is_signed_in(self) -> bool:
        return 200 <= self.proof.status < 300


class Browser:
    """One browser, at first signed in nowhere."""

    def __init__(self, app: HttpSession, provider: HttpSession, oauth: OauthClient) -> None:
        self._app, self._provider, self._oauth = app, provider, oauth

    async def begin(self) -> str:
        """Ask the app for a sign-in; return where it sends the browser: the provider's address.

        Errors:  LostOnTheWay when it leads anywhere else; Unanswered.
        """
        method, _, path = self._oauth.start.partition(" ")
        form = self._oauth.form if method == "POST" else None
        answer = await self._app.request(method, path, form=form, timeout_s=CLEAN_WITHIN_S)
        answer = await self._followed(answer)
        location = answer.header("location")
        if not location.startswith(f"{self._provider_url}/"):
            raise LostOnTheWay(
                f"{self._oauth.start} answered {answer.status} and did not send the browser to the provider"
                f" ({location or 'no location'}).",
                answer=answer,
            )
        return location

    async def consent(self, location: str) -> str:
        """Let the provider approve; return the app's address it sends the browser back to."""
        answer = await self._provider.get(location.removeprefix(self._provider_url))
        back = answer.header("location")
        if not back:
            raise LostOnTheWay(f"The provider refused the app's request: {answer.text}", answer=answer)
        return back

    async def come_back(self, callback: str) -> Arrival:
        """Bring the provider's answer to the app. No answer in time is an arrival, too."""
        silence = ""
        answer: Answer | None = None
        try:
            async with asyncio.timeout(CLEAN_WITHIN_S):
                answer = await self._app.get(_path_of(callback), timeout_s=CLEAN_WITHIN_S)
                answer = await self._followed(answer)
        except (Unanswered, TimeoutError) as silent:
            silence = str(silent) or f"no answer within {CLEAN_WITHIN_S:g} s"
        return Arrival(callback=_path_of(callback), answer=answer, proof=await self.proof(), silence=silence)

    async def proof(self) -> Answer:
        """Ask for what only somebody signed in gets. Errors: Unanswered."""
        method, _, path = self._oauth.session.partition(" ")
        return await self._app.request(method, path)

    @property
    def _provider_url(self) -> str:
        return self._provider.base_url

    async def _followed(self, answer: Answer) -> Answer:
        """Follow redirects among the app's own pages."""
        for _ in range(_HOPS_MAX):
            location = answer.header("location")
            if answer.status not in _REDIRECTS or not self._is_own(location):
                return answer
            answer = await self._app.get(_path_of(location), timeout_s=CLEAN_WITHIN_S)
        return answer

    def _is_own(self, location: str) -> bool:
        """The app may call itself by another name of this machine; its port tells."""
        parts, own = urlsplit(location), urlsplit(self._app.base_url)
        return bool(location) and (not parts.netloc or parts.port == own.port)


@asynccontextmanager
async def browser(exam: Exam, oauth: OauthClient, stub: Stub) -> AsyncIterator[Browser]:
    """Open a browser that knows nobody; closed with the block."""
    app, provider = HttpSession(exam.handle.base_url), HttpSession(stub.issuer)
    try:
        yield Browser(app, provider, oauth)
    finally:
        await app.close()
        await provider.close()


def _path_of(address: str) -> str:
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
