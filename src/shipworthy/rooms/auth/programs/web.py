"""The addresses of programs: get a pair, refresh it, give it up, and the keys that verify it."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Forbidden
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Redirect
from shipworthy.kernel.http.wire import bearer_of
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.factors.proving import STEP_UP_S
from shipworthy.rooms.auth.landing import ACCOUNT
from shipworthy.rooms.auth.programs import pairs
from shipworthy.rooms.auth.programs.keys import keys_at

_BYTES_MAX = 4_096
_KEYS_MAX_AGE_S = 3_600  # far below the period for which a key is published before it signs


class NewProgram(Body):
    name: str


class Refresh(Body):
    grant_type: Literal["refresh_token"]
    refresh_token: str


class GivenUp(Body):
    token: str
    token_type_hint: str = ""


async def begin(ctx: Ctx, body: NewProgram) -> Any:
    """A pair for whoever is signed in: every rule of signing in holds for programs, too."""
    if bearer_of(ctx.extra["headers"]) is not None:
        raise Forbidden(
            "auth.program_begins_none", _("A program cannot begin another one. Sign in yourself for that.")
        )
    return _answer(await pairs.issue(ctx, body.name), status=201)


async def refresh(ctx: Ctx, body: Refresh) -> Any:
    return _answer(await pairs.refresh(ctx, body.refresh_token))


async def give_up(ctx: Ctx, body: GivenUp) -> Any:
    await pairs.give_up(ctx, body.token)
    return Json({})


async def me(ctx: Ctx) -> Any:
    person = ctx.user
    return {
        "user_id": person.user_id,
        "email": person.email,
        "name": person.name,
        "tenant_id": person.tenant_id,
        "tenant": person.tenant_name,
        "role": person.role,
    }


async def published_keys(ctx: Ctx) -> Any:
    keys = keys_at(ctx.runtime.signing_key, realm_id=ctx.scope.realm_id, now=ctx.now())
    fresh = (("cache-control", f"public, max-age={_KEYS_MAX_AGE_S}"),)
    return Json({"keys": [key.published for key in keys]}, headers=fresh)


async def end(ctx: Ctx, program_id: uuid.UUID) -> Any:
    await pairs.end(ctx, program_id)
    return Redirect(ACCOUNT, flash=_("That program is ended."))


def _answer(pair: pairs.Pair, *, status: int = 200) -> Json:
    return Json(
        {
            "access_token": pair.access_token,
            "token_type": "Bearer",
            "expires_in": pair.expires_in_s,
            "refresh_token": pair.refresh_token,
        },
        status=status,
    )


_SENT: Any = {"transaction": False, "body_bytes_max": _BYTES_MAX}

# No idempotency key: a token refreshed twice gives the same successor (refresh_token.py), a program that
# is begun twice is two, of which its owner sees and ends one.
ROUTES: tuple[Route, ...] = (
    route("POST", "/api/programs", begin, **_SENT, effect="change", body=NewProgram, permission="account.write",
          step_up_s=STEP_UP_S, title="Begin a program", audit="auth.program_begun", queries_max=6, status=201, example={"name": "Sample program"}),
    route("POST", "/api/token", refresh, **_SENT, auth="public", effect="change", body=Refresh,
          title="Refresh a pair of tokens", audit="auth.program_refreshed", personal=("refresh_token",), queries_max=7),
    route("POST", "/api/token/revoke", give_up, **_SENT, auth="public", effect="change", body=GivenUp,
          title="Give a pair of tokens up", audit="auth.program_ended", personal=("token",), queries_max=3),
    route("GET", "/api/me", me, transaction=False, permission="account.read", title="Whom a program acts for",
          queries_max=2),
    route("GET", "/.well-known/jwks.json", published_keys, auth="public", transaction=False,
          title="The keys that sign access tokens", queries_max=2),
    route("POST", "/account/programs/{program_id}/end", end, media="html", transaction=False, effect="change",
          permission="account.write", title="End a program", audit="auth.program_ended",
          params={"program_id": "program_id"}, queries_max=5),
)  # fmt: skip
