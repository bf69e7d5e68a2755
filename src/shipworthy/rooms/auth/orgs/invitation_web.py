"""The addresses of invitations: sending and taking back, and the way in for whoever was invited."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Missing, Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.permission import CHOOSE_PATH
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.devices import browser_of
from shipworthy.rooms.auth.landing import first_page
from shipworthy.rooms.auth.orgs import accept, invitations, screens
from shipworthy.rooms.auth.orgs.roles import Role
from shipworthy.rooms.auth.web import ways_of, welcome

_FORM_BYTES_MAX = 8_192
_PEOPLE = "/organisation"


class Link(msgspec.Struct):
    token: str = ""


class NewInvitation(Body):
    email: str
    role: Role


class Acceptance(Body):
    token: str


class InvitedSignUp(Body):
    token: str
    name: str
    password: str


async def invite(ctx: Ctx, body: NewInvitation) -> Any:
    try:
        await invitations.invite(ctx, email=body.email, role=body.role)
    except Refusal as refusal:
        page = await screens.people(ctx, invited=(body.email, body.role), error=refusal)
        raise refusal.shown_on(page) from None
    return Redirect(_PEOPLE, flash=_("The invitation to {email} is on its way.", email=body.email.strip()))


async def revoke(ctx: Ctx, invitation_id: uuid.UUID) -> Any:
    await invitations.revoke(ctx, invitation_id)
    return Redirect(_PEOPLE, flash=_("The invitation is taken back."))


async def invitation_page(ctx: Ctx, query: Link) -> Any:
    if not query.token:
        return Redirect(CHOOSE_PATH)  # opened by hand
    try:
        return await _page(ctx, query.token)
    except Missing as missing:
        raise missing.shown_on(_gone()) from None


async def accept_it(ctx: Ctx, body: Acceptance) -> Any:
    try:
        cookie = await accept.accept(ctx, body.token)
    except Missing as missing:
        raise missing.shown_on(_gone()) from None
    except Refusal as refusal:
        raise refusal.shown_on(await _page(ctx, body.token, error=refusal)) from None
    return Redirect(first_page(ctx.runtime), flash=_("Welcome to the organisation."), cookies=(cookie,))


async def sign_up(ctx: Ctx, body: InvitedSignUp) -> Any:
    try:
        if ctx.principal is not None:
            raise Conflict(
                "auth.signed_in_already", _("You are signed in. Accept the invitation, or sign out first.")
            )
        signed_in = await accept.sign_up_invited(
            ctx, body.token, name=body.name, password=body.password, browser=browser_of(ctx)
        )
    except Missing as missing:
        raise missing.shown_on(_gone()) from None
    except Refusal as refusal:
        raise refusal.shown_on(await _page(ctx, body.token, name=body.name, error=refusal)) from None
    return welcome(
        ctx, signed_in, to=first_page(ctx.runtime), flash=_("Welcome, {name}.", name=signed_in.person.name)
    )


async def _page(ctx: Ctx, token: str, *, name: str = "", error: Refusal | None = None) -> Page:
    invitation, here = await accept.invited(ctx, token), f"{accept.PATH}?token={token}"
    data = {
        "token": token,
        "organisation": invitation.organisation,
        "inviter": invitation.inviter,
        "role": _(invitation.role),
        "email": invitation.email,
        "name": name,
        "way": _way(ctx, invitation),
        "login": f"/login?next={quote(here, safe='')}",
        "ways": ways_of(ctx, here),
        "chars_min": ctx.runtime.settings.auth.password_chars_min,
        **screens.error_of(error),
    }
    return Page(
        "auth/invitation.html", data, title=_("Join {organisation}", organisation=invitation.organisation)
    )


def _way(ctx: Ctx, invitation: accept.Invited) -> str:
    if ctx.principal is not None:
        return "accept" if invitation.is_for_whom_is_here else "other"
    return "sign_in" if invitation.has_account else "sign_up"


def _gone() -> Page:
    return Page("auth/invitation_gone.html", title=_("This invitation is no longer open"))


_WRITES: Any = {"media": "html", "transaction": False, "effect": "change", "permission": "members.write"}
_DOOR: Any = {"auth": "public", "media": "html", "transaction": False}

# No idempotency key: an address has one open invitation, and a link works once.
ROUTES: tuple[Route, ...] = (
    route("POST", "/organisation/invitations", invite, **_WRITES, body=NewInvitation, title="Invite somebody",
          audit="auth.invitation_sent", personal=("email",), queries_max=14, body_bytes_max=_FORM_BYTES_MAX,
          example={"email": "ida@sample.example", "role": "member"}),
    route("POST", "/organisation/invitations/{invitation_id}/revoke", revoke, **_WRITES, title="Take an invitation back",
          audit="auth.invitation_revoked", params={"invitation_id": "invitation_id"}, queries_max=6),
    route("GET", accept.PATH, invitation_page, **_DOOR, query=Link, title="An invitation", queries_max=5,
          personal=("name", "email")),
    route("POST", "/invitation/accept", accept_it, media="html", transaction=False, effect="change", body=Acceptance,
          permission="account.write", title="Accept an invitation", audit="auth.invitation_accepted",
          queries_max=14, body_bytes_max=_FORM_BYTES_MAX),
    route("POST", "/invitation/sign-up", sign_up, **_DOOR, effect="change", body=InvitedSignUp,
          title="Sign up with an invitation", audit="auth.invitation_accepted", personal=("name", "password"),
          queries_max=20, body_bytes_max=_FORM_BYTES_MAX),
)  # fmt: skip
