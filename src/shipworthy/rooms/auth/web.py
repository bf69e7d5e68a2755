"""The room's addresses: what each takes, what it answers, and what it promises."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.edge.refusals import ChallengeNeeded
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.edge import SESSION_COOKIE
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _, day_text
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth import account
from shipworthy.rooms.auth.admit import SignedIn
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.confirm import address_to_confirm, confirm
from shipworthy.rooms.auth.devices import COOKIE, COOKIE_MAX_AGE_S, browser_of, is_handheld
from shipworthy.rooms.auth.factors.second import COOKIE as SECOND_COOKIE
from shipworthy.rooms.auth.factors.second import TTL_S as SECOND_TTL_S
from shipworthy.rooms.auth.factors.second import Halfway
from shipworthy.rooms.auth.gate.door import login_door
from shipworthy.rooms.auth.gate.suspects import challenge_for, demand_proof, sprung
from shipworthy.rooms.auth.landing import ACCOUNT, first_page, is_own_path, landing
from shipworthy.rooms.auth.oauth.installed import providers_of
from shipworthy.rooms.auth.passwords import is_common
from shipworthy.rooms.auth.programs.pairs import programs_of
from shipworthy.rooms.auth.renewal import session_cookie
from shipworthy.rooms.auth.sign_in import refused, sign_in
from shipworthy.rooms.auth.sign_up import mail_again, read_sign_up, sign_up

_FORM_BYTES_MAX = 8_192  # a password of 256 characters, four bytes each, percent-encoded, and room to spare


class Next(msgspec.Struct):
    next: str = ""


class Link(msgspec.Struct):
    token: str = ""


class SignIn(Body):
    email: str
    password: str
    next: str = ""
    proof: str = ""  # what the form's challenge asked the browser to compute
    fax: str = ""  # a trap: people do not see it


class SignUp(Body):
    name: str
    organisation: str
    email: str
    password: str


class MailAgain(Body):
    email: str


class Confirmation(Body):
    token: str
    password: str


class NewName(Body):
    name: str


class NewPassword(Body):
    current: str
    new: str


async def start(ctx: Ctx) -> Any:
    """Lead to the first page, or to the door."""
    return Redirect(first_page(ctx.runtime) if ctx.principal else "/login")


async def login_page(ctx: Ctx, query: Next) -> Any:
    if ctx.principal:
        return Redirect(landing(ctx.runtime, query.next))
    return login_page_of(ctx, next=query.next)


async def login(ctx: Ctx, body: SignIn) -> Any:
    browser = browser_of(ctx)
    try:
        demand_proof(ctx, browser, body.proof, email=body.email)
        if sprung(ctx, trap=body.fax, email=body.email):
            raise refused()
        signed_in = await sign_in(ctx, email=body.email, password=body.password, browser=browser)
    except Refusal as refusal:
        raise refusal.shown_on(login_page_of(ctx, next=body.next, email=body.email, error=refusal)) from None
    weak = _("Many people use your password, so it is tried first. Choose another on your account page.")
    return welcome(
        ctx, signed_in, to=landing(ctx.runtime, body.next), flash=weak if is_common(body.password) else ""
    )


async def logout(ctx: Ctx) -> Any:
    await account.sign_out(ctx)
    gone = cookies.write(ctx.runtime.settings, SESSION_COOKIE, "", max_age_s=0)
    return Redirect("/login", flash=_("You are signed out."), cookies=(gone,))


async def signup_page(ctx: Ctx) -> Any:
    return _signup_page(ctx)


async def signup(ctx: Ctx, body: SignUp) -> Any:
    try:
        await sign_up(ctx, read_sign_up(ctx, **msgspec.structs.asdict(body)))
    except Refusal as refusal:
        raise refusal.shown_on(_signup_page(ctx, values=body, error=refusal)) from None
    return _mail_sent(ctx)


async def signup_sent_page(ctx: Ctx) -> Any:
    return Page("auth/check_mail.html", {"hours": _link_hours(ctx)}, title=_("Check your mail"))


async def signup_again_page(_ctx: Ctx) -> Any:
    return _again_page()


async def signup_again(ctx: Ctx, body: MailAgain) -> Any:
    try:
        await mail_again(ctx, body.email)
    except Refusal as refusal:
        raise refusal.shown_on(_again_page(email=body.email, error=refusal)) from None
    return _mail_sent(ctx)


async def verify_page(ctx: Ctx, query: Link) -> Any:
    if not query.token:
        return Redirect("/signup/again")
    email = await address_to_confirm(ctx, query.token)
    if email is None:
        raise Missing("open sign-up behind this link").shown_on(_dead_link_page())
    return _verify_page(token=query.token, email=email)


async def verify(ctx: Ctx, body: Confirmation) -> Any:
    try:
        signed_in = await confirm(ctx, token=body.token, password=body.password, browser=browser_of(ctx))
    except Missing as missing:
        raise missing.shown_on(_dead_link_page()) from None
    except Refusal as refusal:
        email = await address_to_confirm(ctx, body.token) or ""
        raise refusal.shown_on(_verify_page(token=body.token, email=email, error=refusal)) from None
    greeting = _("Your address is confirmed. Welcome, {name}.", name=signed_in.person.name)
    return welcome(ctx, signed_in, to=first_page(ctx.runtime), flash=greeting)


async def account_page(ctx: Ctx) -> Any:
    return await account_page_of(ctx)


async def account_rename(ctx: Ctx, body: NewName) -> Any:
    try:
        await account.rename(ctx, body.name)
    except Refusal as refusal:
        raise refusal.shown_on(await account_page_of(ctx, name=body.name, error=refusal)) from None
    return Redirect(ACCOUNT, flash=_("Your name is changed."))


async def account_password(ctx: Ctx, body: NewPassword) -> Any:
    try:
        kept = await account.change_password(ctx, current=body.current, new=body.new)
    except Refusal as refusal:
        raise refusal.shown_on(await account_page_of(ctx, error=refusal)) from None
    flash = _("Your password is changed, and all other sessions are ended.")
    return Redirect(ACCOUNT, flash=flash, cookies=(kept,))


async def account_end_session(ctx: Ctx, session_id: uuid.UUID) -> Any:
    await account.end_session(ctx, session_id)
    return Redirect(ACCOUNT, flash=_("That session is ended."))


async def account_end_others(ctx: Ctx) -> Any:
    await account.end_other_sessions(ctx)
    return Redirect(ACCOUNT, flash=_("All other sessions are ended."))


def welcome(ctx: Ctx, signed_in: SignedIn | Halfway, *, to: str, flash: str = "") -> Any:
    """Lead whoever was let in onward, or to the second step of their sign-in."""
    if isinstance(signed_in, Halfway):
        return _ask_second(ctx, signed_in, to=to, flash=flash)
    settings, person = ctx.runtime.settings, signed_in.person
    kept = (
        session_cookie(settings, signed_in.session_token),
        cookies.write(settings, COOKIE, signed_in.device.token, max_age_s=COOKIE_MAX_AGE_S),
    )
    if not sent_json(ctx):
        return Redirect(to, flash=flash, cookies=kept)
    facts = {"user_id": person.user_id, "email": person.email, "name": person.name, "role": person.role}
    return Json({**facts, "tenant_id": person.tenant_id, "next": to}, cookies=kept)


def _ask_second(ctx: Ctx, halfway: Halfway, *, to: str, flash: str) -> Any:
    kept = (cookies.write(ctx.runtime.settings, SECOND_COOKIE, halfway.token, max_age_s=SECOND_TTL_S),)
    if sent_json(ctx):
        return Json({"status": "second_factor", "next": "/login/second"}, cookies=kept)
    return Redirect(f"/login/second?{urlencode({'next': to})}", flash=flash, cookies=kept)


def _mail_sent(ctx: Ctx) -> Any:
    return Json({"status": "mail_sent"}, status=200) if sent_json(ctx) else Redirect("/signup/sent")


def sent_json(ctx: Ctx) -> bool:
    headers: Mapping[str, str] = ctx.extra["headers"]
    return headers.get("content-type", "").startswith("application/json")


def login_page_of(ctx: Ctx, *, next: str = "", email: str = "", error: Refusal | None = None) -> Page:
    wanted = next if is_own_path(next) else ""
    return Page(
        "auth/login.html",
        {
            "next": wanted,
            "email": email,
            "ways": ways_of(ctx, wanted),
            # The one that was refused for is the one to solve: then it counts as one try, not two.
            "challenge": error.challenge
            if isinstance(error, ChallengeNeeded)
            else challenge_for(ctx, browser_of(ctx)),
            **error_of(error),
        },
        title=_("Sign in"),
    )


def _signup_page(ctx: Ctx, *, values: SignUp | None = None, error: Refusal | None = None) -> Page:
    data = {
        "values": msgspec.structs.asdict(values) if values else {},
        "chars_min": _chars_min(ctx),
        "ways": ways_of(ctx),
    }
    return Page("auth/signup.html", {**data, **error_of(error)}, title=_("Create your account"))


def _again_page(*, email: str = "", error: Refusal | None = None) -> Page:
    return Page("auth/signup_again.html", {"email": email, **error_of(error)}, title=_("Send the mail again"))


def _verify_page(*, token: str, email: str, error: Refusal | None = None) -> Page:
    data = {"token": token, "email": email, **error_of(error)}
    return Page("auth/verify.html", data, title=_("Confirm your address"))


def _dead_link_page() -> Page:
    return Page("auth/dead_link.html", title=_("This link no longer works"))


def _moment(at: datetime) -> str:
    return f"{day_text(at.date())}, {at:%H:%M} UTC"


async def account_page_of(ctx: Ctx, *, name: str | None = None, error: Refusal | None = None) -> Page:
    person, (linked, has_password) = ctx.user, await ways_in_of(ctx)
    sessions = [
        {
            "id": str(session.session_id),
            "name": session.device_name,
            "is_handheld": is_handheld(session.device_name),
            "is_current": session.is_current,
            "last_seen": _moment(session.last_seen_at),
        }
        for session in await account.open_sessions(ctx)
    ]
    data = {
        "name": person.name if name is None else name,
        "email": person.email,
        "organisation": person.tenant_name,
        "role": person.role,
        "sessions": sessions,
        "chars_min": _chars_min(ctx),
        "identities": linked,
        "programs": [
            {
                "id": str(program.program_id),
                "name": program.name,
                "last_used": _moment(program.refreshed_at),
            }
            for program in await programs_of(ctx)
        ],
        "has_password": has_password,
        "ways": [way for way in ways_of(ctx) if way["name"] not in {i["provider"] for i in linked}],
    }
    return Page("auth/account.html", {**data, **error_of(error)}, title=_("Account"), section="account")


async def ways_in_of(ctx: Ctx) -> tuple[list[dict[str, str]], bool]:
    """The identities that open this account, as its owner sees them, and whether a password does."""
    async with ctx.begin() as tx:
        rows = await tx.all(q.identity_list, user_id=ctx.user.user_id)
        password = await tx.maybe(q.credential_get, user_id=ctx.user.user_id)
    labels = {way["name"]: way["label"] for way in ways_of(ctx)}
    linked = [
        {
            "id": str(row["identity_id"]),
            "provider": row["provider"],
            "label": labels.get(row["provider"], row["provider"].capitalize()),
            "email": row["email"],
            "since": day_text(row["linked_at"].date()),
        }
        for row in rows
    ]
    return linked, password is not None


def ways_of(ctx: Ctx, next: str = "") -> list[dict[str, str]]:
    """The providers one may sign in through, and where that begins."""
    onward = f"?{urlencode({'next': next})}" if next else ""
    return [
        {"name": p.name, "label": p.label, "kind": p.kind, "href": f"/oauth/{p.name}{onward}"}
        for p in providers_of(ctx.runtime).values()
    ]


def error_of(refusal: Refusal | None) -> dict[str, Any]:
    """What a form shows of a refusal: one sentence, or a sentence at each field."""
    if refusal is None:
        return {"error": "", "errors": {}}
    return {"error": "" if refusal.fields else refusal.message, "errors": refusal.fields}


def _chars_min(ctx: Ctx) -> int:
    return ctx.runtime.settings.auth.password_chars_min


def _link_hours(ctx: Ctx) -> int:
    return ctx.runtime.settings.auth.verify_ttl_s // 3600


_DOOR: Any = {"auth": "public", "media": "html"}
_OWN: Any = {"media": "html", "transaction": False}
_SENT: Any = {"effect": "change", "transaction": False, "body_bytes_max": _FORM_BYTES_MAX}

# Nothing here takes an idempotency key, because nothing needs one: an address has one account, a link
# works once, and signing in twice is two sessions of one person.
# queries_max counts the session's look-up (1), which a visitor without a session spares.
ROUTES: tuple[Route, ...] = (
    route("GET", "/", start, **_DOOR, transaction=False, title="Start", queries_max=1),
    route("GET", "/login", login_page, **_DOOR, transaction=False, query=Next, title="Sign in", queries_max=1),
    route("POST", "/login", login, **_DOOR, **_SENT, body=SignIn, title="Sign in", slo="login",
          audit="auth.signed_in", personal=("email", "password"), queries_max=8, door=login_door),
    route("POST", "/logout", logout, **_OWN, effect="change", permission="account.read", title="Sign out",
          audit="auth.signed_out", queries_max=4),
    route("GET", "/signup", signup_page, **_DOOR, transaction=False, title="Create an account", queries_max=1),
    route("POST", "/signup", signup, **_DOOR, **_SENT, body=SignUp, title="Create an account",
          audit="auth.mail_asked", personal=("name", "organisation", "email", "password"), queries_max=9,
          example={"name": "Ada Sample", "organisation": "Sample Works", "email": "ada@sample.example",
                   "password": "a lantern over quiet water"}),
    route("GET", "/signup/sent", signup_sent_page, **_DOOR, transaction=False, title="Check your mail", queries_max=1),
    route("GET", "/signup/again", signup_again_page, **_DOOR, transaction=False, title="Send the mail again",
          queries_max=1),
    route("POST", "/signup/again", signup_again, **_DOOR, **_SENT, body=MailAgain, title="Send the mail again",
          audit="auth.mail_asked", personal=("email",), queries_max=10, example={"email": "ada@sample.example"}),
    route("GET", "/verify", verify_page, **_DOOR, transaction=False, query=Link, title="Confirm your address",
          queries_max=3),
    route("POST", "/verify", verify, **_DOOR, **_SENT, body=Confirmation, title="Confirm your address",
          audit="auth.account_created", personal=("password",), queries_max=12),
    route("GET", "/account", account_page, **_OWN, permission="account.read", title="Account", queries_max=6),
    route("POST", "/account/name", account_rename, **_OWN, effect="change", body=NewName, permission="account.write",
          title="Change your name", audit="auth.renamed", personal=("name",), queries_max=5,
          body_bytes_max=_FORM_BYTES_MAX, example={"name": "Ada Sample"}),
    route("POST", "/account/password", account_password, **_OWN, effect="change", body=NewPassword,
          permission="account.write", title="Change your password", audit="auth.password_changed",
          personal=("current", "new"), queries_max=13, body_bytes_max=_FORM_BYTES_MAX),
    route("POST", "/account/sessions/{session_id}/end", account_end_session, **_OWN, effect="change",
          permission="account.write", title="End a session", audit="auth.session_ended",
          params={"session_id": "session_id"}, queries_max=6),
    route("POST", "/account/sessions/end-others", account_end_others, **_OWN, effect="change",
          permission="account.write", title="End all other sessions", audit="auth.other_sessions_ended", queries_max=6),
)  # fmt: skip
