"""The addresses of second factors: the second step of a sign-in, the app, the codes, and step-up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _, day_text
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import browser_of
from shipworthy.rooms.auth.factors import authenticator, changes, proving, second
from shipworthy.rooms.auth.factors.proving import STEP_UP_S
from shipworthy.rooms.auth.factors.qr import svg
from shipworthy.rooms.auth.landing import ACCOUNT, is_own_path, landing
from shipworthy.rooms.auth.web import login_page_of, sent_json, welcome

FACTORS = "/account/factors"
_TOTP = f"{FACTORS}/totp"
_FORM_BYTES_MAX = 8_192


class Onward(msgspec.Struct):
    next: str = ""


class SecondStep(Body):
    code: str
    trust: bool = False
    next: str = ""


class Confirmed(Body):
    code: str = ""
    password: str = ""
    next: str = ""


class Code(Body):
    code: str


async def second_page(ctx: Ctx, query: Onward) -> Any:
    try:
        waits = await second.waiting(ctx, second_token(ctx))
    except Missing:
        return Redirect("/login", flash=_("That sign-in took too long. Begin it again."))
    return _second_page(waits, next=query.next)


async def second_step(ctx: Ctx, body: SecondStep) -> Any:
    token = second_token(ctx)
    try:
        signed_in = await second.finish(
            ctx, token, code=body.code, browser=browser_of(ctx), is_trusted=body.trust
        )
    except Missing as missing:
        raise missing.shown_on(login_page_of(ctx, next=body.next, error=missing)) from None
    except Refusal as refusal:
        raise refusal.shown_on(await second_page_again(ctx, token, body.next, refusal)) from None
    return welcome(ctx, signed_in, to=landing(ctx.runtime, body.next))


async def confirm_page(ctx: Ctx, query: Onward) -> Any:
    return confirm_page_of(
        await proving.ways_of(ctx), next=query.next, is_mailed=_confirm_token(ctx) is not None
    )


async def confirm_mail(ctx: Ctx, body: Onward) -> Any:
    token = await proving.mail_code(ctx)
    cookie = cookies.write(ctx.runtime.settings, proving.COOKIE, token, max_age_s=proving.CODE_TTL_S)
    onward = body.next if is_own_path(body.next) else ""
    return Redirect(f"/account/confirm?next={onward}", flash=_("The code is on its way."), cookies=(cookie,))


async def confirm_it(ctx: Ctx, body: Confirmed) -> Any:
    token = _confirm_token(ctx)
    try:
        kept = await proving.prove(ctx, code=body.code, password=body.password, token=token)
    except Refusal as refusal:
        ways = await proving.ways_of(ctx)
        page = confirm_page_of(ways, next=body.next, is_mailed=token is not None, error=refusal)
        raise refusal.shown_on(page) from None
    return confirmed(ctx, kept, next=body.next)


def confirmed(ctx: Ctx, cookie: str, *, next: str) -> Any:
    """Lead back to where the person was."""
    to = next if is_own_path(next) else ACCOUNT
    return Json({"next": to}, cookies=(cookie,)) if sent_json(ctx) else Redirect(to, cookies=(cookie,))


async def factors_page(ctx: Ctx) -> Any:
    return await factors_page_of(ctx)


async def totp_begin(ctx: Ctx) -> Any:
    try:
        await changes.begin_totp(ctx)
    except Refusal as refusal:
        raise refusal.shown_on(await factors_page_of(ctx, error=refusal)) from None
    return Redirect(_TOTP)


async def totp_page(ctx: Ctx) -> Any:
    try:
        return await _totp_page(ctx)
    except Missing:
        return Redirect(FACTORS)


async def totp_confirm(ctx: Ctx, body: Code) -> Any:
    try:
        changed = await changes.confirm_totp(ctx, body.code)
    except Refusal as refusal:
        raise refusal.shown_on(await _totp_page(ctx, error=refusal)) from None
    return shown(changed, flash=_("Your authenticator app is set up."))


async def totp_remove(ctx: Ctx) -> Any:
    changed = await changes.remove_totp(ctx)
    return shown(changed, flash=_("The authenticator app opens nothing any more."))


async def recovery_new(ctx: Ctx) -> Any:
    try:
        changed = await changes.new_recovery_codes(ctx)
    except Refusal as refusal:
        raise refusal.shown_on(await factors_page_of(ctx, error=refusal)) from None
    return shown(changed, flash="")


def shown(changed: changes.Changed, *, flash: str) -> Any:
    """Show new recovery codes, for the only time; else lead back."""
    if not changed.codes:
        return Redirect(FACTORS, flash=flash, cookies=(changed.cookie,))
    data = {"codes": changed.codes, "text": "%0A".join(changed.codes), "done": flash}
    return Page(
        "auth/recovery_codes.html",
        data,
        title=_("Recovery codes"),
        section="account",
        cookies=(changed.cookie,),
    )


def second_token(ctx: Ctx) -> str | None:
    return cookie_of(ctx, second.COOKIE)


def _confirm_token(ctx: Ctx) -> str | None:
    return cookie_of(ctx, proving.COOKIE)


def cookie_of(ctx: Ctx, name: str) -> str | None:
    header = ctx.extra["headers"].get("cookie", "")
    return cookies.read(header, cookies.name(ctx.runtime.settings, name))


async def second_page_again(ctx: Ctx, token: str | None, next: str, refusal: Refusal) -> Page:
    try:
        return _second_page(await second.waiting(ctx, token), next=next, error=refusal)
    except Missing:  # that was the last try
        return login_page_of(ctx, next=next, error=refusal)


def _second_page(waits: second.Waiting, *, next: str, error: Refusal | None = None) -> Page:
    data = {
        "has_totp": waits.has_totp,
        "has_passkey": waits.has_passkey,
        "has_recovery": waits.has_recovery,
        "next": next if is_own_path(next) else "",
        "days": second.TRUST_S // 86_400,
        "error": error.message if error else "",
    }
    return Page("auth/second.html", data, title=_("Confirm your sign-in"))


def confirm_page_of(ways: proving.Ways, *, next: str, is_mailed: bool, error: Refusal | None = None) -> Page:
    data = {
        "ways": ways,
        "asks_factor": ways.asks_factor,
        "asks_password": ways.asks_password,
        "has_totp": ways.has_totp,
        "has_passkey": ways.has_passkey,
        "has_recovery": ways.has_recovery,
        "is_mailed": is_mailed,
        "next": next if is_own_path(next) else "",
        "error": error.message if error and not error.fields else "",
        "errors": error.fields if error else {},
    }
    return Page("auth/confirm.html", data, title=_("Confirm that it is you"), section="account")


async def factors_page_of(ctx: Ctx, *, error: Refusal | None = None) -> Page:
    data = {**await factors_shown(ctx), "error": error.message if error else ""}
    return Page("auth/factors.html", data, title="Two-step sign-in", section="account")


async def factors_shown(ctx: Ctx) -> dict[str, Any]:
    """Return what the account has beside its password, for a page."""
    async with ctx.begin() as tx:
        held = await tx.one(q.factors_held, user_id=ctx.user.user_id)
        rows = await tx.all(q.passkey_list, user_id=ctx.user.user_id)
    return {
        "has_totp": held["has_totp"],
        "passkeys": [
            {
                "id": str(row["passkey_id"]),
                "name": row["name"],
                "since": _day(row["created_at"]),
                "last_used": _day(row["last_used_at"]) if row["last_used_at"] else "",
            }
            for row in rows
        ],
        "has_factor": held["has_totp"] or held["has_passkey"],
        "recovery_left": held["recovery_left"],
    }


def _day(at: datetime) -> str:
    return day_text(at.date())


async def _totp_page(ctx: Ctx, *, error: Refusal | None = None) -> Page:
    async with ctx.begin() as tx:
        setup = await authenticator.setup(ctx, tx)
    spaced = " ".join(setup.secret[at : at + 4] for at in range(0, len(setup.secret), 4))
    data = {
        "qr": svg(setup.address, label="QR code for the authenticator app"),
        "secret": spaced,
        "address": setup.address,
        "error": error.message if error and not error.fields else "",
        "errors": error.fields if error else {},
    }
    return Page("auth/totp.html", data, title=_("Set up an authenticator app"), section="account")


_DOOR: Any = {"auth": "public", "media": "html", "transaction": False}
_OWN: Any = {"media": "html", "transaction": False, "permission": "account.read"}
_CHANGE: Any = {"media": "html", "transaction": False, "effect": "change", "permission": "account.write",
                "body_bytes_max": _FORM_BYTES_MAX}  # fmt: skip
_PROVEN: Any = {**_CHANGE, "step_up_s": STEP_UP_S}

ROUTES: tuple[Route, ...] = (
    route("GET", "/login/second", second_page, **_DOOR, query=Onward, title="The second step of a sign-in", queries_max=4),
    route("POST", "/login/second", second_step, **_DOOR, effect="change", body=SecondStep,
          title="The second step of a sign-in", audit="auth.signed_in", personal=("code",), queries_max=13,
          body_bytes_max=_FORM_BYTES_MAX),
    route("GET", "/account/confirm", confirm_page, **_OWN, query=Onward, title="Confirm that it is you", queries_max=3),
    route("POST", "/account/confirm", confirm_it, **_CHANGE, body=Confirmed, title="Confirm that it is you",
          audit="auth.confirmed", personal=("code", "password"), queries_max=11),
    route("POST", "/account/confirm/mail", confirm_mail, **_CHANGE, body=Onward, title="Mail a code to confirm with",
          audit="auth.proof_asked", queries_max=8),
    route("GET", FACTORS, factors_page, **_OWN, title="Two-step sign-in", queries_max=4),
    route("POST", _TOTP, totp_begin, **_PROVEN, title="Begin an authenticator app", audit="auth.totp_begun", queries_max=5),
    route("GET", _TOTP, totp_page, **_OWN, step_up_s=STEP_UP_S, title="Set up an authenticator app", queries_max=3),
    route("POST", f"{_TOTP}/confirm", totp_confirm, **_PROVEN, body=Code, title="Confirm an authenticator app",
          audit="auth.totp_added", personal=("code",), queries_max=14),
    route("POST", f"{_TOTP}/remove", totp_remove, **_PROVEN, title="Remove the authenticator app",
          audit="auth.totp_removed", queries_max=12),
    route("POST", f"{FACTORS}/recovery", recovery_new, **_PROVEN, title="Make new recovery codes",
          audit="auth.recovery_codes_made", queries_max=12),
)  # fmt: skip
