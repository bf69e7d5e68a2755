"""Signing a seeded user in once before the load, to get the session its journeys run with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from shipworthy.contract.manifest import Login, Step
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.load.client import Exchange, Pool
from shipworthy.gauntlet.load.cookies import Jar
from shipworthy.gauntlet.load.page import filled_in
from shipworthy.gauntlet.load.template import Request

# A password hash takes tens of milliseconds; a cold start may add seconds to the first one.
_TIMEOUT_S_FLOOR = 15.0


class SignInFailed(Exception):
    """The user could not sign in; the message says what was answered."""


async def sign_in(login: Login, credential: Credential, *, pool: Pool, timeout_s: float) -> Jar:
    """Return the cookies of a fresh session.

    Errors:  SignInFailed when the answer is not one of `login.ok`, or brings no cookie.
    """
    jar, who = Jar(), f"signing in {credential.email} by {login.route}"
    held: dict[str, str] = {}
    if login.page:
        page = await _answered(
            Step(method="GET", path=login.page), jar, pool=pool, timeout_s=timeout_s, wants_body=True
        )
        if page.failure:
            raise SignInFailed(f"{who}: its page {login.page}: {page.failure}")
        held = filled_in(page.body.decode("utf-8", "replace"), login.form)
    exchange = await _answered(_step(login, credential, held), jar, pool=pool, timeout_s=timeout_s)
    if exchange.failure:
        raise SignInFailed(f"{who}: {exchange.failure}")
    if exchange.status not in login.ok:
        wanted = " or ".join(map(str, login.ok))
        raise SignInFailed(f"{who}: answered {exchange.status}, {wanted} was expected")
    if not jar.header:
        raise SignInFailed(f"{who}: answered {exchange.status} without a cookie")
    return jar


async def _answered(
    step: Step, jar: Jar, *, pool: Pool, timeout_s: float, wants_body: bool = False
) -> Exchange:
    """Send one request with the cookies held so far, and keep those its answer brings."""
    request = Request(step, address=pool.address, user=None, wants_body=wants_body)
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    exchange = Exchange(
        request.render(n=0, last=None, cookies=jar.header, cookie_version=jar.version),
        request,
        0,
        lambda _: answered.set_result(None),
    )
    pool.submit(exchange)
    try:
        await asyncio.wait_for(answered, max(timeout_s, _TIMEOUT_S_FLOOR))
    except TimeoutError:
        exchange.on_done = lambda _: None
        exchange.expire()
    for cookie in exchange.cookies:
        jar.store(cookie)
    return exchange


def _step(login: Login, credential: Credential, held: Mapping[str, str]) -> Step:
    method, _, path = login.route.partition(" ")
    said = {"{email}": credential.email, "{password}": credential.password}
    fields = {**held, **{name: said.get(value, value) for name, value in login.form.items()}}
    if login.media == "json":
        return Step(method=method, path=path, json=dict(fields))
    return Step(method=method, path=path, form=fields)
