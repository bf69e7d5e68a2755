"""The addresses of signing in through somebody else."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Forbidden, Missing, Refusal
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.admit import SignedIn
from shipworthy.rooms.auth.devices import browser_of
from shipworthy.rooms.auth.factors.proving import STEP_UP_S
from shipworthy.rooms.auth.factors.second import Halfway
from shipworthy.rooms.auth.landing import ACCOUNT, first_page, landing
from shipworthy.rooms.auth.oauth import identities, proof
from shipworthy.rooms.auth.oauth.flow import Departure, Reply, arrive, depart
from shipworthy.rooms.auth.oauth.installed import provider_of
from shipworthy.rooms.auth.web import account_page_of, login_page_of, sent_json, welcome

_PROOF_BYTES_MAX = 8_192


class Wanted(msgspec.Struct):
    next: str = ""


class CameBack(msgspec.Struct):
    state: str = ""
    code: str = ""
    error: str = ""
    iss: str | None = None


class Proof(Body):
    code: str = ""
    password: str = ""


async def start(ctx: Ctx, name: str, query: Wanted) -> Any:
    provider = provider_of(ctx.runtime, name)
    try:
        departure = await depart(ctx, provider, next=query.next)
    except Refusal as refusal:
        raise refusal.shown_on(login_page_of(ctx, next=query.next, error=refusal)) from None
    return Redirect(departure.address, cookies=(departure.cookie,))


async def link(ctx: Ctx, name: str) -> Any:
    provider = provider_of(ctx.runtime, name)
    try:
        departure = await depart(ctx, provider, user_id=ctx.user.user_id)
    except Refusal as refusal:
        raise refusal.shown_on(await account_page_of(ctx, error=refusal)) from None
    await identities.record_asked(ctx, provider)
    return _leave(ctx, provider.label, departure)


async def callback(ctx: Ctx, name: str, query: CameBack) -> Any:
    provider = provider_of(ctx.runtime, name)
    if not (query.state or query.code or query.error):
        return Redirect("/login")  # opened by hand: nobody came back with anything
    reply = Reply(state=query.state, code=query.code, error=query.error, iss=query.iss)
    try:
        arrival = await arrive(ctx, provider, reply)
        if arrival.user_id is not None:
            if ctx.principal is None or ctx.principal.user_id != arrival.user_id:
                raise Forbidden(
                    "auth.oauth_state", _("Somebody else is signed in here by now. Begin it again.")
                )
            kept = await identities.link(ctx, provider, arrival.identity)
            flash = _("You can sign in with {provider} from now on.", provider=provider.label)
            return Redirect(ACCOUNT, flash=flash, cookies=(kept,))
        signed_in = await identities.sign_in(
            ctx, provider, arrival.identity, browser=browser_of(ctx), next=arrival.next
        )
    except identities.ProofNeeded as needed:
        token = await proof.ask(ctx, provider, arrival.identity, needed.address)
        cookie = cookies.write(ctx.runtime.settings, proof.COOKIE, token, max_age_s=proof.TTL_S)
        return Redirect("/login/proof", cookies=(cookie,))
    except Refusal as refusal:
        page = (
            await account_page_of(ctx, error=refusal) if ctx.principal else login_page_of(ctx, error=refusal)
        )
        raise refusal.shown_on(page) from None
    if isinstance(signed_in, SignedIn) and signed_in.joined:
        flash = _(
            "Welcome to {organisation}.", organisation=signed_in.joined
        )  # the invitation that `next` names is used up
        return welcome(ctx, signed_in, to=first_page(ctx.runtime), flash=flash)
    return welcome(ctx, signed_in, to=landing(ctx.runtime, arrival.next))


async def proof_page(ctx: Ctx) -> Any:
    try:
        return _proof_page(await proof.waiting(ctx, _proof_token(ctx)))
    except Missing:
        return Redirect("/login", flash=_("That sign-in took too long. Begin it again."))


async def give_proof(ctx: Ctx, body: Proof) -> Any:
    token = _proof_token(ctx)
    try:
        signed_in = await proof.prove(
            ctx, token, code=body.code, password=body.password, browser=browser_of(ctx)
        )
    except Missing as missing:
        raise missing.shown_on(login_page_of(ctx, error=missing)) from None
    except Refusal as refusal:
        raise refusal.shown_on(_proof_page(await proof.waiting(ctx, token), error=refusal)) from None
    to = ACCOUNT if isinstance(signed_in, Halfway) else first_page(ctx.runtime)  # it is linked from there
    return welcome(ctx, signed_in, to=to)


async def unlink(ctx: Ctx, identity_id: uuid.UUID) -> Any:
    try:
        await identities.unlink(ctx, identity_id)
    except Missing:
        raise  # the same bytes for another's identity as for none: no page of one's own around it
    except Refusal as refusal:
        raise refusal.shown_on(await account_page_of(ctx, error=refusal)) from None
    return Redirect(ACCOUNT, flash=_("That sign-in no longer opens your account."))


def _leave(ctx: Ctx, label: str, departure: Departure) -> Any:
    """A page that goes on by itself: the content policy lets no form of ours end at another site."""
    if sent_json(ctx):
        return Json({"location": departure.address}, cookies=(departure.cookie,))
    data = {"label": label, "address": departure.address}
    return Page(
        "auth/leave.html", data, title=_("On to {provider}", provider=label), cookies=(departure.cookie,)
    )


def _proof_token(ctx: Ctx) -> str | None:
    header = ctx.extra["headers"].get("cookie", "")
    return cookies.read(header, cookies.name(ctx.runtime.settings, proof.COOKIE))


def _proof_page(waits: proof.Waiting, *, error: Refusal | None = None) -> Page:
    data = {
        "email": waits.email,
        "label": waits.label,
        "takes_password": waits.takes_password,
        "minutes": proof.TTL_S // 60,
        "error": error.message if error else "",
    }
    return Page("auth/proof.html", data, title=_("Is this account yours?"))


_DOOR: Any = {"auth": "public", "media": "html", "transaction": False}
_OWN: Any = {"media": "html", "transaction": False, "effect": "change", "permission": "account.write"}
_TOLD = ("email", "name")

# The way back is a GET and so declares no audit action; what it does, it records (identities.py, proof.py).
ROUTES: tuple[Route, ...] = (
    route("GET", "/oauth/{provider}", start, **_DOOR, query=Wanted, title="Sign in through a provider", queries_max=4),
    route("GET", "/oauth/{provider}/callback", callback, **_DOOR, query=CameBack, title="Back from a provider",
          personal=_TOLD, queries_max=24),
    route("GET", "/login/proof", proof_page, **_DOOR, title="Prove an account", queries_max=3),
    route("POST", "/login/proof", give_proof, **_DOOR, effect="change", body=Proof, title="Prove an account",
          audit="auth.identity_linked", personal=("code", "password"), queries_max=18, body_bytes_max=_PROOF_BYTES_MAX),
    route("POST", "/account/identities/{provider}", link, **_OWN, step_up_s=STEP_UP_S, title="Link a sign-in",
          audit="auth.identity_asked", queries_max=7),
    route("POST", "/account/identities/{identity_id}/remove", unlink, **_OWN, step_up_s=STEP_UP_S, title="Remove a linked sign-in",
          audit="auth.identity_removed", personal=_TOLD, queries_max=10),
)  # fmt: skip
