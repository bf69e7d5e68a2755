"""The addresses of organisations: their people, and acting for one of several."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.permission import CHOOSE_PATH
from shipworthy.kernel.http.reply import Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.auth.landing import first_page
from shipworthy.rooms.auth.orgs import members, organisations, screens
from shipworthy.rooms.auth.orgs.roles import Role

_FORM_BYTES_MAX = 4_096
_PEOPLE = "/organisation"


class Place(msgspec.Struct):
    after: str = ""


class Named(Body):
    organisation: str


class NewRole(Body):
    role: Role


async def people_page(ctx: Ctx, query: Place) -> Any:
    return await screens.people(ctx, after=query.after)


async def rename(ctx: Ctx, body: Named) -> Any:
    try:
        await organisations.rename(ctx, body.organisation)
    except Refusal as refusal:
        page = await screens.people(ctx, name=body.organisation, error=refusal)
        raise refusal.shown_on(page) from None
    return Redirect(_PEOPLE, flash=_("The organisation has its new name."))


async def member_page(ctx: Ctx, user_id: uuid.UUID) -> Any:
    return await screens.member(ctx, user_id)


async def change_role(ctx: Ctx, user_id: uuid.UUID, body: NewRole) -> Any:
    try:
        await members.change_role(ctx, user_id, body.role)
    except Missing:
        raise  # the same bytes for another organisation's member as for none: no page of one's own around it
    except Refusal as refusal:
        raise refusal.shown_on(await screens.member(ctx, user_id, error=refusal)) from None
    return Redirect(_PEOPLE, flash=_("The role is changed."))


async def remove(ctx: Ctx, user_id: uuid.UUID) -> Any:
    try:
        await members.remove(ctx, user_id)
    except Missing:
        raise
    except Refusal as refusal:
        raise refusal.shown_on(await screens.member(ctx, user_id, error=refusal)) from None
    if user_id == ctx.user.user_id:
        return Redirect(CHOOSE_PATH, flash=_("You have left the organisation."))
    return Redirect(_PEOPLE, flash=_("They are in the organisation no longer."))


async def leave(ctx: Ctx) -> Any:
    try:
        await members.leave(ctx)
    except Refusal as refusal:
        raise refusal.shown_on(await screens.choice(ctx, error=refusal)) from None
    return Redirect(CHOOSE_PATH, flash=_("You have left the organisation."))


async def choice_page(ctx: Ctx) -> Any:
    return await screens.choice(ctx)


async def menu(ctx: Ctx) -> Any:
    return await screens.menu(ctx)


async def begin_another(ctx: Ctx, body: Named) -> Any:
    try:
        cookie = await organisations.begin_another(ctx, body.organisation)
    except Refusal as refusal:
        page = await screens.choice(ctx, name=body.organisation, error=refusal)
        raise refusal.shown_on(page) from None
    return Redirect(first_page(ctx.runtime), flash=_("Your organisation is ready."), cookies=(cookie,))


async def enter(ctx: Ctx, organisation_id: uuid.UUID) -> Any:
    cookie = await organisations.enter(ctx, organisation_id)
    return Redirect(first_page(ctx.runtime), cookies=(cookie,) if cookie else ())


_READS: Any = {"media": "html", "transaction": False, "permission": "members.read"}
_WRITES: Any = {"media": "html", "transaction": False, "effect": "change", "permission": "members.write"}
_OWN: Any = {"media": "html", "transaction": False, "permission": "account.read"}
_OWN_CHANGE: Any = {"media": "html", "transaction": False, "effect": "change", "permission": "account.write"}

# No idempotency key: a role is what it was set to, who is gone is gone, and a person is in no two
# organisations of one name.
ROUTES: tuple[Route, ...] = (
    route("GET", "/organisation", people_page, **_READS, query=Place, title="Organisation", queries_max=4,
          personal=("name", "email")),
    route("POST", "/organisation/name", rename, **_WRITES, body=Named, title="Rename the organisation",
          audit="auth.organisation_renamed", queries_max=6, body_bytes_max=_FORM_BYTES_MAX,
          example={"organisation": "Sample Works"}),
    route("GET", "/organisation/members/{user_id}", member_page, **_READS, title="Member",
          params={"user_id": "member_id"}, queries_max=3, personal=("name", "email")),
    route("POST", "/organisation/members/{user_id}/role", change_role, **_WRITES, body=NewRole, title="Change a role",
          audit="auth.member_role_changed", params={"user_id": "member_id"}, queries_max=9,
          body_bytes_max=_FORM_BYTES_MAX, example={"role": "viewer"}),
    route("POST", "/organisation/members/{user_id}/remove", remove, **_WRITES, title="Remove a member",
          audit="auth.member_removed", params={"user_id": "member_id"}, queries_max=9),
    route("POST", "/organisation/leave", leave, **{**_OWN_CHANGE, "effect": "end"}, title="Leave the organisation",
          audit="auth.member_left", queries_max=9),
    route("GET", "/organisations", choice_page, **_OWN, title="Your organisations", queries_max=3),
    route("GET", "/organisations/menu", menu, **_OWN, title="Your organisations, as a menu", queries_max=3),
    route("POST", "/organisations", begin_another, **_OWN_CHANGE, body=Named, title="Begin another organisation",
          audit="auth.organisation_created", queries_max=12, body_bytes_max=_FORM_BYTES_MAX),
    route("POST", "/organisations/{organisation_id}/enter", enter, **_OWN_CHANGE, title="Act for an organisation",
          audit="auth.organisation_entered", params={"organisation_id": "organisation_id"}, queries_max=6),
)  # fmt: skip
