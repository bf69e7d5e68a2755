"""The addresses of losing an account and getting it back."""

from __future__ import annotations

from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.devices import browser_of
from shipworthy.rooms.auth.recovery import reset
from shipworthy.rooms.auth.web import error_of, sent_json, ways_in_of, welcome

_FORM_BYTES_MAX = 8_192


class Link(msgspec.Struct):
    token: str = ""


class Forgotten(Body):
    email: str


class NewPassword(Body):
    token: str
    new: str


async def forgot_page(_ctx: Ctx) -> Any:
    return _forgot_page()


async def forgot(ctx: Ctx, body: Forgotten) -> Any:
    try:
        await reset.ask(ctx, body.email)
    except Refusal as refusal:
        raise refusal.shown_on(_forgot_page(email=body.email, error=refusal)) from None
    return Json({"status": "mail_sent"}) if sent_json(ctx) else Redirect("/forgot/sent")


async def forgot_sent_page(ctx: Ctx) -> Any:
    minutes = ctx.runtime.settings.auth.reset_ttl_s // 60
    return Page("auth/forgot_sent.html", {"minutes": minutes}, title="Check your mail")


async def reset_page(ctx: Ctx, query: Link) -> Any:
    if not query.token:
        return Redirect("/forgot")
    email = await reset.address_of(ctx, query.token)
    if email is None:
        raise Missing("open link to a new password").shown_on(_dead_reset_page())
    return _reset_page(ctx, token=query.token, email=email)


async def reset_password(ctx: Ctx, body: NewPassword) -> Any:
    try:
        signed_in = await reset.reset(ctx, token=body.token, new=body.new, browser=browser_of(ctx))
    except Missing as missing:
        raise missing.shown_on(_dead_reset_page()) from None
    except Refusal as refusal:
        email = await reset.address_of(ctx, body.token) or ""
        raise refusal.shown_on(_reset_page(ctx, token=body.token, email=email, error=refusal)) from None
    flash = "Your password is changed, and everything that was signed in is signed out."
    return welcome(ctx, signed_in, to="/account/ways-in", flash=flash)


async def ways_in_page(ctx: Ctx) -> Any:
    """What else opens the account, shown after a reset: whoever was in may have left a way back."""
    identities, _ = await ways_in_of(ctx)
    return Page("auth/ways_in.html", {"identities": identities}, title="What opens your account")


def _forgot_page(*, email: str = "", error: Refusal | None = None) -> Page:
    return Page("auth/forgot.html", {"email": email, **error_of(error)}, title="Forgot your password?")


def _reset_page(ctx: Ctx, *, token: str, email: str, error: Refusal | None = None) -> Page:
    data = {
        "token": token,
        "email": email,
        "chars_min": ctx.runtime.settings.auth.password_chars_min,
        **error_of(error),
    }
    return Page("auth/reset.html", data, title="Choose a new password")


def _dead_reset_page() -> Page:
    return Page("auth/dead_reset.html", title="This link no longer works")


_DOOR: Any = {"auth": "public", "media": "html", "transaction": False}
_SENT: Any = {"effect": "change", "body_bytes_max": _FORM_BYTES_MAX}
_OWN: Any = {"media": "html", "transaction": False}

# As in web.py, nothing here takes an idempotency key: a mail asked for twice is two mails, a link works once.
ROUTES: tuple[Route, ...] = (
    route("GET", "/forgot", forgot_page, **_DOOR, title="Forgot the password", queries_max=2),
    route("POST", "/forgot", forgot, **_DOOR, **_SENT, body=Forgotten, title="Mail a link to a new password",
          audit="auth.reset_asked", personal=("email",), queries_max=11, example={"email": "ada@sample.example"}),
    route("GET", "/forgot/sent", forgot_sent_page, **_DOOR, title="Check your mail", queries_max=2),
    route("GET", "/reset", reset_page, **_DOOR, query=Link, title="Choose a new password", queries_max=3),
    route("POST", "/reset", reset_password, **_DOOR, **_SENT, body=NewPassword, title="Choose a new password",
          audit="auth.password_reset", personal=("new",), queries_max=18),
    route("GET", "/account/ways-in", ways_in_page, **_OWN, permission="account.read", title="What opens the account",
          personal=("email",), queries_max=4),
)  # fmt: skip
