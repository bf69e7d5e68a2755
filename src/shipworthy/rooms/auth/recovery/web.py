"""The addresses of losing an account and getting it back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.edge import SESSION_COOKIE
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.devices import browser_of
from shipworthy.rooms.auth.factors.proving import STEP_UP_S
from shipworthy.rooms.auth.factors.web import factors_shown
from shipworthy.rooms.auth.landing import ACCOUNT
from shipworthy.rooms.auth.recovery import address, leaving, reset
from shipworthy.rooms.auth.web import error_of, sent_json, ways_in_of, welcome

_FORM_BYTES_MAX = 8_192


class Link(msgspec.Struct):
    token: str = ""


class Forgotten(Body):
    email: str


class NewPassword(Body):
    token: str
    new: str


class NewAddress(Body):
    email: str


class Spent(Body):
    token: str


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
    return Page("auth/forgot_sent.html", {"minutes": minutes}, title=_("Check your mail"))


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
    flash = _("Your password is changed, and everything that was signed in is signed out.")
    return welcome(ctx, signed_in, to="/account/ways-in", flash=flash)


async def ways_in_page(ctx: Ctx) -> Any:
    """What else opens the account, shown after a reset: whoever was in may have left a way back."""
    identities, _others = await ways_in_of(ctx)
    data = {"identities": identities, **await factors_shown(ctx)}
    return Page("auth/ways_in.html", data, title=_("What opens your account"))


async def address_form(ctx: Ctx) -> Any:
    return _address_form(ctx)


async def address_ask(ctx: Ctx, body: NewAddress) -> Any:
    try:
        await address.ask(ctx, body.email)
    except Refusal as refusal:
        raise refusal.shown_on(_address_form(ctx, email=body.email, error=refusal)) from None
    if sent_json(ctx):
        return Json({"status": "mail_sent"})
    return Redirect(ACCOUNT, flash=_("We have mailed a link to that address. Open it in this browser."))


async def address_page(ctx: Ctx, query: Link) -> Any:
    if not query.token:
        return Redirect(ACCOUNT)
    if ctx.principal is None:
        return Redirect(f"/login?{urlencode({'next': f'/address?token={query.token}'})}")
    email = await address.address_behind(
        ctx, query.token, purpose=address.CHANGE, user_id=ctx.principal.user_id
    )
    if email is None:
        raise Missing("open link to another address").shown_on(_dead_address_page())
    return _address_page(token=query.token, email=email)


async def address_confirm(ctx: Ctx, body: Spent) -> Any:
    try:
        kept = await address.confirm(ctx, body.token)
    except Missing as missing:
        raise missing.shown_on(_dead_address_page()) from None
    except Refusal as refusal:
        email = await address.address_behind(ctx, body.token, purpose=address.CHANGE) or ""
        raise refusal.shown_on(_address_page(token=body.token, email=email, error=refusal)) from None
    flash = _("Your address is changed, and everything else is signed out.")
    return Redirect(ACCOUNT, flash=flash, cookies=(kept,))


async def address_undo_page(ctx: Ctx, query: Link) -> Any:
    if not query.token:
        return Redirect("/login")
    email = await address.address_behind(ctx, query.token, purpose=address.CHANGED)
    if email is None:
        raise Missing("change of address behind this link").shown_on(_dead_undo_page())
    return _undo_page(token=query.token, email=email)


async def address_undo(ctx: Ctx, body: Spent) -> Any:
    try:
        token = await address.undo(ctx, body.token)
    except Missing as missing:
        raise missing.shown_on(_dead_undo_page()) from None
    except Refusal as refusal:
        email = await address.address_behind(ctx, body.token, purpose=address.CHANGED) or ""
        raise refusal.shown_on(_undo_page(token=body.token, email=email, error=refusal)) from None
    return Redirect(f"/reset?token={token}", flash=_("This address is yours again. Choose a new password."))


async def leave_page(ctx: Ctx) -> Any:
    return await _leave_page(ctx)


async def leave(ctx: Ctx) -> Any:
    try:
        await leaving.leave(ctx)
    except Missing:
        raise
    except Refusal as refusal:
        raise refusal.shown_on(await _leave_page(ctx, error=refusal)) from None
    gone = cookies.write(ctx.runtime.settings, SESSION_COOKIE, "", max_age_s=0)
    return Redirect("/leaving", cookies=(gone,))


async def left_page(_ctx: Ctx) -> Any:
    return Page("auth/left.html", title=_("Your account is closed"))


async def stay_page(ctx: Ctx, query: Link) -> Any:
    if not query.token:
        return Redirect("/login")
    if not await leaving.is_open(ctx, query.token):
        raise Missing("account to take back behind this link").shown_on(_dead_stay_page())
    return Page("auth/stay.html", {"token": query.token}, title=_("Keep your account?"))


async def stay(ctx: Ctx, body: Spent) -> Any:
    try:
        await leaving.stay(ctx, body.token)
    except Missing as missing:
        raise missing.shown_on(_dead_stay_page()) from None
    return Redirect("/login", flash=_("Your account stays. Sign in as before."))


def _forgot_page(*, email: str = "", error: Refusal | None = None) -> Page:
    return Page("auth/forgot.html", {"email": email, **error_of(error)}, title=_("Forgot your password?"))


def _reset_page(ctx: Ctx, *, token: str, email: str, error: Refusal | None = None) -> Page:
    data = {
        "token": token,
        "email": email,
        "chars_min": ctx.runtime.settings.auth.password_chars_min,
        **error_of(error),
    }
    return Page("auth/reset.html", data, title=_("Choose a new password"))


def _address_form(ctx: Ctx, *, email: str = "", error: Refusal | None = None) -> Page:
    data = {"current": ctx.user.email, "email": email, **error_of(error)}
    return Page("auth/address_form.html", data, title=_("Change your address"), section="account")


def _address_page(*, token: str, email: str, error: Refusal | None = None) -> Page:
    data = {"token": token, "email": email, **error_of(error)}
    return Page("auth/address_confirm.html", data, title=_("Use this address?"), section="account")


def _undo_page(*, token: str, email: str, error: Refusal | None = None) -> Page:
    data = {"token": token, "email": email, **error_of(error)}
    return Page("auth/address_undo.html", data, title=_("Take the change back?"))


async def _leave_page(ctx: Ctx, *, error: Refusal | None = None) -> Page:
    kept = [{"name": name, "others": others} for name, others in await leaving.ownerless(ctx)]
    days = ctx.runtime.settings.auth.leaving_ttl_s // 86_400
    data = {"ownerless": kept, "days": days, **error_of(error)}
    return Page("auth/leave_account.html", data, title=_("Delete your account"), section="account")


def _dead_reset_page() -> Page:
    return _dead(_("Have another one mailed."), _("Mail me a new link"), "/forgot")


def _dead_address_page() -> Page:
    return _dead(_("Ask for another one on your account page."), _("To my account"), ACCOUNT)


def _dead_undo_page() -> Page:
    return _dead(
        _("If your account is not as you left it, choose a new password."), _("Choose a password"), "/forgot"
    )


def _dead_stay_page() -> Page:
    return _dead(_("If the account is still there, you can sign in."), _("Sign in"), "/login")


def _dead(hint: str, label: str, href: str) -> Page:
    data = {"hint": hint, "label": label, "href": href}
    return Page("auth/dead_mail_link.html", data, title=_("This link no longer works"))


_DOOR: Any = {"auth": "public", "media": "html", "transaction": False}
_SENT: Any = {"effect": "change", "body_bytes_max": _FORM_BYTES_MAX}
_OWN: Any = {"media": "html", "transaction": False}
_PROVEN: Any = {**_OWN, "step_up_s": STEP_UP_S}

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
          personal=("email",), queries_max=6),
    route("GET", "/account/address", address_form, **_PROVEN, permission="account.write", title="Change your address",
          personal=("email",), queries_max=2),
    route("POST", "/account/address", address_ask, **_PROVEN, **_SENT, permission="account.write", body=NewAddress,
          title="Mail a link to another address", audit="auth.address_change_asked", personal=("email",),
          queries_max=10, example={"email": "ada.new@sample.example"}),
    route("GET", "/address", address_page, **_DOOR, query=Link, title="Confirm another address", personal=("email",),
          queries_max=3),
    route("POST", "/address", address_confirm, **_OWN, **_SENT, permission="account.write", body=Spent,
          title="Confirm another address", audit="auth.address_changed", queries_max=17),
    route("GET", "/address/undo", address_undo_page, **_DOOR, query=Link, title="Take a change of address back",
          personal=("email",), queries_max=3),
    route("POST", "/address/undo", address_undo, **_DOOR, **_SENT, body=Spent, title="Take a change of address back",
          audit="auth.address_restored", queries_max=14),
    route("GET", "/account/leave", leave_page, **_PROVEN, permission="account.write", title="Delete the account",
          queries_max=4),
    route("POST", "/account/leave", leave, **_PROVEN, effect="end", permission="account.write",
          title="Delete the account", audit="auth.leaving_asked", queries_max=14),
    route("GET", "/leaving", left_page, **_DOOR, title="The account is closed", queries_max=2),
    route("GET", "/leaving/undo", stay_page, **_DOOR, query=Link, title="Keep the account", queries_max=3),
    route("POST", "/leaving/undo", stay, **_DOOR, **_SENT, body=Spent, title="Keep the account",
          audit="auth.leaving_taken_back", queries_max=6),
)  # fmt: skip
