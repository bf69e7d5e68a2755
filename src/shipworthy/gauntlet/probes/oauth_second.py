"""C2, a second opinion: the app signs people in through a provider that we did not write.

It takes the stub's place behind the same address, with keys of its own: to the app a rotation without overlap.
First it is started with another secret than the app's. If a sign-in works all the same, it proves nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import OauthClient
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.idp.beside import client_id_of
from shipworthy.gauntlet.idp.peer.running import LostAtPeer, peer_home, peer_running, through, told
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.probes.oauth_browser import Arrival, Browser, LostOnTheWay
from shipworthy.gauntlet.probes.oauth_scene import RECOVERY_S, evidence_of
from shipworthy.gauntlet.proxy.proxies import Proxy
from shipworthy.gauntlet.proxy.toxic import Toxic
from shipworthy.gauntlet.subjects import ask_each

PERSON = "second@peer.test"
_RETRY_S = 1.0
_CUT_LEASE_S = 10.0  # taken out of force at once; this is for an examiner that dies in between
# Where the stub has them: an app may still go by what it read of the stub.
_ROUTES = {"authorization": "/authorize", "token": "/token", "userinfo": "/userinfo", "jwks": "/jwks"}


async def second_opinion(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each declared sign-in."""
    stub = exam.provider
    assert stub is not None, "the check needs the capabilities 'oauth' and 'started'"
    home, front = peer_home(), exam.proxy("oidc")
    exam.heal_later("another provider in the stub's place", lambda: _stands(front, stub.listens_at))

    async def ask(_name: str, oauth: OauthClient) -> Finding:
        return await _Second(exam, oauth, stub, home).asked()

    subjects = [(oauth.name, oauth) for oauth in exam.manifest.oauth]
    return await ask_each(exam, subjects, ask, source=lambda oauth: oauth.start)


async def _stands(front: Proxy, upstream: str) -> None:
    """Put a provider behind the address. Connections that the app keeps open lead to the one before: they end."""
    cut = await front.add(Toxic(kind="reset_peer"), lease_s=_CUT_LEASE_S)
    await front.aim(upstream)
    await front.remove(cut)


class _Second:
    """One sign-in, through the other provider."""

    def __init__(self, exam: Exam, oauth: OauthClient, stub: Stub, home: Path) -> None:
        self._exam, self._oauth, self._stub, self._home = exam, oauth, stub, home

    async def asked(self) -> Finding:
        client = self._stub.client(client_id_of(self._oauth))
        async with peer_running(self._env(secrets.token_urlsafe(24))) as address:
            await _stands(self._exam.proxy("oidc"), address)
            if (await self._attempt()).is_signed_in:
                raise Undecided(
                    "The app signs a person in though the provider knows another secret: nothing is proven."
                )
        async with peer_running(self._env(client.secrets[0])) as address:
            await _stands(self._exam.proxy("oidc"), address)
            return await self._judged()

    async def _judged(self) -> Finding:
        began, failed = time.monotonic(), 0
        while not (arrival := await self._attempt()).is_signed_in:
            failed += 1
            if time.monotonic() - began > RECOVERY_S:
                return self._refused("Nobody can sign in through oidc-provider, which is certified", arrival)
            await asyncio.sleep(_RETRY_S)
        took = Measure(
            name="until a sign-in works",
            unit="s",
            estimate=round(time.monotonic() - began, 1),
            bound=RECOVERY_S,
        )
        if not (again := await self._attempt()).is_signed_in:
            return self._refused("Through oidc-provider a person signs in once and not again", again)
        title = f"Through oidc-provider, too, a person signs in and comes back ({failed} tries until its keys were read)"
        return self._exam.finding(
            self._oauth.name, Verdict.PASS, title, source=self._oauth.start, measures=(took,)
        )

    def _refused(self, title: str, arrival: Arrival) -> Finding:
        return self._exam.finding(
            self._oauth.name,
            Verdict.FAIL,
            title,
            severity=Severity.HIGH,
            cause="Through the examiner's own stub it works: the app relies on something that only that does.",
            fix="Hold the app's requests against OpenID Connect Core 3.1; the evidence shows how far one got.",
            source=self._oauth.start,
            evidence=evidence_of(arrival),
        )

    async def _attempt(self) -> Arrival:
        app, theirs = HttpSession(self._exam.handle.base_url), HttpSession(self._stub.issuer)
        try:
            person = Browser(app, theirs, self._oauth)
            back = await through(theirs, self._stub.issuer, await person.begin(), PERSON)
            return await person.come_back(back)
        except (LostAtPeer, LostOnTheWay, Unanswered) as lost:
            raise Undecided(f"The sign-in did not get back to the app. {lost}") from lost
        finally:
            await app.close()
            await theirs.close()

    def _env(self, secret: str) -> dict[str, str]:
        client = self._stub.client(client_id_of(self._oauth))
        return told(
            self._home,
            issuer=self._stub.issuer,
            client_id=client.client_id,
            secret=secret,
            redirects=client.redirect_uris,
            algorithm=self._oauth.algorithm,
            routes=_ROUTES,
        )
