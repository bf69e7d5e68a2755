"""The addresses of passkeys. A script asks (`…/options`, JSON); the answer comes as an ordinary form."""

from __future__ import annotations

import uuid
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.devices import browser_name, browser_of
from shipworthy.rooms.auth.factors import passkeys, proving
from shipworthy.rooms.auth.factors.proving import STEP_UP_S
from shipworthy.rooms.auth.factors.web import (
    FACTORS,
    confirm_page_of,
    confirmed,
    cookie_of,
    factors_page_of,
    second_page_again,
    second_token,
    shown,
)
from shipworthy.rooms.auth.landing import landing
from shipworthy.rooms.auth.web import login_page_of, welcome

_ANSWER_BYTES_MAX = 32_768  # a form, percent-encoded; the longest key of RSA takes a tenth of it
_QUESTION_BYTES_MAX = 256


class Answer(Body):
    credential: str
    next: str = ""
    trust: bool = False


class NewPasskey(Body):
    credential: str
    name: str = ""


class PasskeyName(Body):
    name: str


async def passkey_login_options(ctx: Ctx) -> Any:
    return _question(ctx, await passkeys.ask_to_sign_in(ctx, _token(ctx)))


async def passkey_login(ctx: Ctx, body: Answer) -> Any:
    try:
        signed_in = await passkeys.sign_in(ctx, _token(ctx), body.credential, browser=browser_of(ctx))
    except Refusal as refusal:
        raise refusal.shown_on(login_page_of(ctx, next=body.next, error=refusal)) from None
    return welcome(ctx, signed_in, to=landing(ctx.runtime, body.next))


async def passkey_second_options(ctx: Ctx) -> Any:
    asked = await passkeys.ask_for_second(ctx, _token(ctx), second_token=second_token(ctx))
    return _question(ctx, asked)


async def passkey_second(ctx: Ctx, body: Answer) -> Any:
    waits = second_token(ctx)
    try:
        signed_in = await passkeys.finish_second(
            ctx,
            _token(ctx),
            body.credential,
            second_token=waits,
            browser=browser_of(ctx),
            is_trusted=body.trust,
        )
    except Missing as missing:
        raise missing.shown_on(login_page_of(ctx, next=body.next, error=missing)) from None
    except Refusal as refusal:
        raise refusal.shown_on(await second_page_again(ctx, waits, body.next, refusal)) from None
    return welcome(ctx, signed_in, to=landing(ctx.runtime, body.next))


async def passkey_confirm_options(ctx: Ctx) -> Any:
    return _question(ctx, await passkeys.ask_to_confirm(ctx, _token(ctx)))


async def passkey_confirm(ctx: Ctx, body: Answer) -> Any:
    try:
        kept = await passkeys.confirm(ctx, _token(ctx), body.credential)
    except Refusal as refusal:
        page = confirm_page_of(await proving.ways_of(ctx), next=body.next, is_mailed=False, error=refusal)
        raise refusal.shown_on(page) from None
    return confirmed(ctx, kept, next=body.next)


async def passkey_options(ctx: Ctx) -> Any:
    return _question(ctx, await passkeys.ask_to_register(ctx, _token(ctx)))


async def passkey_add(ctx: Ctx, body: NewPasskey) -> Any:
    made_in = browser_name(ctx.extra["headers"].get("user-agent", ""))
    try:
        changed = await passkeys.register(ctx, _token(ctx), body.credential, name=body.name or made_in)
    except Refusal as refusal:
        raise refusal.shown_on(await factors_page_of(ctx, error=refusal)) from None
    return shown(changed, flash=_("Your passkey is set up."))


async def passkey_rename(ctx: Ctx, passkey_id: uuid.UUID, body: PasskeyName) -> Any:
    try:
        await passkeys.rename(ctx, passkey_id, body.name)
    except Missing:
        raise  # the same bytes for another's passkey as for none
    except Refusal as refusal:
        raise refusal.shown_on(await factors_page_of(ctx, error=refusal)) from None
    return Redirect(FACTORS, flash=_("The passkey is renamed."))


async def passkey_remove(ctx: Ctx, passkey_id: uuid.UUID) -> Any:
    return shown(await passkeys.remove(ctx, passkey_id), flash=_("The passkey opens nothing any more."))


def _token(ctx: Ctx) -> str | None:
    return cookie_of(ctx, passkeys.COOKIE)


def _question(ctx: Ctx, question: passkeys.Question) -> Json:
    kept = cookies.write(ctx.runtime.settings, passkeys.COOKIE, question.token, max_age_s=passkeys.TTL_S)
    return Json({"publicKey": question.asked}, cookies=(kept,))


_ASK: Any = {"media": "json", "transaction": False, "body_bytes_max": _QUESTION_BYTES_MAX}
_ANSWERED: Any = {"media": "html", "transaction": False, "effect": "change", "personal": ("credential",),
                  "body_bytes_max": _ANSWER_BYTES_MAX}  # fmt: skip
_OWN: Any = {"permission": "account.write"}
_PROVEN: Any = {**_OWN, "step_up_s": STEP_UP_S}
_ONE: Any = {"media": "html", "transaction": False, "effect": "change", "params": {"passkey_id": "passkey_id"},
             "body_bytes_max": 4_096, **_PROVEN}  # fmt: skip

# Asking is a POST, since no cache may answer it, and recorded nowhere: nothing of anybody's has changed.
ROUTES: tuple[Route, ...] = (
    route("POST", "/login/passkey/options", passkey_login_options, **_ASK, auth="public",
          title="Ask for a passkey to sign in with", queries_max=5),
    route("POST", "/login/passkey", passkey_login, **_ANSWERED, auth="public", body=Answer,
          title="Sign in with a passkey", audit="auth.signed_in", queries_max=9),
    route("POST", "/login/second/passkey/options", passkey_second_options, **_ASK, auth="public",
          title="Ask for a passkey as the second step", queries_max=8),
    route("POST", "/login/second/passkey", passkey_second, **_ANSWERED, auth="public", body=Answer,
          title="The second step with a passkey", audit="auth.signed_in", queries_max=13),
    route("POST", "/account/confirm/passkey/options", passkey_confirm_options, **_ASK, **_OWN,
          title="Ask for a passkey to confirm with", queries_max=6),
    route("POST", "/account/confirm/passkey", passkey_confirm, **_ANSWERED, **_OWN, body=Answer,
          title="Confirm with a passkey", audit="auth.confirmed", queries_max=8),
    route("POST", f"{FACTORS}/passkeys/options", passkey_options, **_ASK, **_PROVEN, title="Ask to make a passkey",
          queries_max=6),
    route("POST", f"{FACTORS}/passkeys", passkey_add, **_ANSWERED, **_PROVEN, body=NewPasskey, title="Add a passkey",
          audit="auth.passkey_added", queries_max=12),
    route("POST", f"{FACTORS}/passkeys/{{passkey_id}}/rename", passkey_rename, **_ONE, body=PasskeyName,
          title="Name a passkey", audit="auth.passkey_renamed", personal=("name",), queries_max=5),
    route("POST", f"{FACTORS}/passkeys/{{passkey_id}}/remove", passkey_remove, **_ONE, title="Remove a passkey",
          audit="auth.passkey_removed", queries_max=12),
)  # fmt: skip
