"""L1, the sign-in spike: password, PKCE and refresh, and what must not happen to anybody meanwhile.

`facts` hold what the target declares: "login", "oauth", "tokens" (as in the manifest) and "wrong_share".
Observed: OWNER_REFUSED, a right password refused while others guess; ENTERED, a wrong one let in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.gauntlet.load.coded import Answer, Visit
from shipworthy.gauntlet.load.page import filled_in

OWNER_REFUSED, ENTERED, NOT_SIGNED_IN, REUSED = (
    "owner_refused",
    "wrong_password_let_in",
    "not_signed_in",
    "token_reused",
)
_CHECKED_SHARE = 0.1  # of the PKCE sign-ins, whose session is looked at as well: each costs a request
_PAIR = "pair"


async def password(v: Visit) -> None:
    """Sign in; now and then as somebody who guesses, at an address nobody has."""
    login = v.facts["login"]
    refused = (*login["refused"], *login["throttled"])
    assert v.user is not None, "a password needs somebody who has one"
    if v.rng.random() < v.facts["wrong_share"]:
        who = {
            "{email}": f"nobody-{v.n % 7}@{v.user.email.rpartition('@')[2]}",
            "{password}": "guess and guess",
        }
        answer = await _sign_in(v, who, expect=(*login["ok"], *refused))
        if answer.status in login["ok"]:
            v.observe(ENTERED, answer.text)
        return
    answer = await _sign_in(v, expect=(*login["ok"], *refused))
    if answer.status in refused:
        v.observe(OWNER_REFUSED, f"{answer.status}: {answer.text}")


async def pkce(v: Visit) -> None:
    """Sign in through the provider: the whole way there and back is one latency."""
    oauth = v.facts["oauth"]
    method, _, path = oauth["start"].partition(" ")
    how: dict[str, Any] = {"form": oauth["form"]} if oauth["form"] else {}
    await v.request(method, path, follow=True, expect=(200,), **how)
    if v.rng.random() < _CHECKED_SHARE:
        method, _, path = oauth["session"].partition(" ")
        answer = await v.request(method, path, measured=False, expect=tuple(range(200, 500)))
        if answer.status != 200:
            v.observe(NOT_SIGNED_IN, f"{answer.status}: {answer.text}")


async def refresh(v: Visit) -> None:
    """Refresh a pair that nobody else holds; the first visits get one first, unmeasured."""
    tokens = v.facts["tokens"]
    token = v.keep.take(_PAIR) or await _issued(v)
    answer = await _sent(v, tokens["refresh"], tokens["refresh_form"], {"{refresh_token}": token}, media=tokens["media"],
                         expect=tuple(tokens["ok"]))  # fmt: skip
    fresh = _at(answer.json(), tokens["refreshed"])
    if fresh == token:
        v.observe(REUSED, "the refresh token that came back is the one that was sent")
    v.keep.give(_PAIR, fresh or token)


async def _issued(v: Visit) -> str:
    tokens = v.facts["tokens"]
    assert v.user is not None, "a pair of tokens is somebody's"
    if tokens["session"]:
        await _sign_in(v, expect=tuple(v.facts["login"]["ok"]), measured=False)
    who = {"{email}": v.user.email, "{password}": v.user.password}
    answer = await _sent(v, tokens["issue"], tokens["form"], who, media=tokens["media"], measured=False,
                         expect=tuple(tokens["ok"]))  # fmt: skip
    return str(_at(answer.json(), tokens["refreshed"]))


async def _sign_in(v: Visit, who: Mapping[str, str] | None = None, **how: Any) -> Answer:
    """Sign in as the user whose turn it is, or with what `who` puts in their place."""
    login, form = v.facts["login"], v.facts["login"]["form"]
    assert v.user is not None
    who = who or {"{email}": v.user.email, "{password}": v.user.password}
    if login.get("page"):
        form = {**filled_in((await v.get(login["page"], measured=False)).text, form), **form}
    return await _sent(v, login["route"], form, who, media=login["media"], **how)


async def _sent(
    v: Visit, route: str, form: Mapping[str, str], known: Mapping[str, str], *, media: str, **how: Any
) -> Answer:
    method, _, path = route.partition(" ")
    filled = {name: known.get(value, value) for name, value in form.items()}
    sent: dict[str, Any] = {"json": filled} if media == "json" else {"form": filled}
    return await v.request(method, path, **sent, **how)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
