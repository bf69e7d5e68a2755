"""What the pages of organisations show."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _, day_text
from shipworthy.rooms.auth.names import ORGANISATION_CHARS_MAX
from shipworthy.rooms.auth.orgs.invitations import open_invitations
from shipworthy.rooms.auth.orgs.members import Member, list_members, member_of
from shipworthy.rooms.auth.orgs.organisations import memberships_of
from shipworthy.rooms.auth.orgs.roles import ROLES, may_read, may_write

_SECTION = "organisation"


async def people(
    ctx: Ctx,
    *,
    after: str = "",
    name: str | None = None,
    invited: tuple[str, str] = ("", "member"),
    error: Refusal | None = None,
) -> Page:
    page, next_place = await list_members(ctx, after=after)
    data = {
        "name": ctx.user.tenant_name if name is None else name,
        "name_chars_max": ORGANISATION_CHARS_MAX,
        "members": [_shown(ctx, member) for member in page],
        "next": f"/organisation?{urlencode({'after': next_place})}" if next_place else "",
        "previous": "/organisation" if after else "",
        "may_write": may_write(ctx),
        "roles": role_choices(),
        "invited_email": invited[0],
        "invited_role": invited[1],
        "invitations": [
            {
                "id": str(invitation.invitation_id),
                "email": invitation.email,
                "role": _(invitation.role.capitalize()),
                "until": day_text(invitation.expires_at.date()),
            }
            for invitation in (await open_invitations(ctx) if may_write(ctx) else ())
        ],
    }
    return Page(
        "auth/organisation.html", {**data, **error_of(error)}, title=_("Organisation"), section=_SECTION
    )


async def member(ctx: Ctx, user_id: uuid.UUID, *, error: Refusal | None = None) -> Page:
    """Errors: Missing."""
    found = _shown(ctx, await member_of(ctx, user_id))
    data = {"member": found, "roles": role_choices(), "may_write": may_write(ctx)}
    return Page("auth/member.html", {**data, **error_of(error)}, title=found["name"], section=_SECTION)


async def choice(ctx: Ctx, *, name: str = "", error: Refusal | None = None) -> Page:
    data = {"name": name, "name_chars_max": ORGANISATION_CHARS_MAX, **await _own(ctx), **error_of(error)}
    return Page("auth/organisations.html", data, title=_("Your organisations"), section=_SECTION)


async def menu(ctx: Ctx) -> Page:
    return Page("auth/organisations_menu.html", await _own(ctx))


def role_choices() -> list[tuple[str, str]]:
    return [(role, _(role.capitalize())) for role in ROLES]


async def _own(ctx: Ctx) -> dict[str, Any]:
    return {
        "organisations": [
            {
                "id": str(membership.tenant_id),
                "name": membership.tenant_name,
                "role": _(membership.role.capitalize()),
                "is_current": membership.is_current,
            }
            for membership in await memberships_of(ctx)
        ],
        "may_read": may_read(ctx),
    }


def _shown(ctx: Ctx, member: Member) -> dict[str, Any]:
    return {
        "id": str(member.user_id),
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "role_label": _(member.role.capitalize()),
        "joined": day_text(member.joined_at.date()),
        "is_you": member.user_id == ctx.user.user_id,
    }


def error_of(refusal: Refusal | None) -> dict[str, Any]:
    """What a form shows of a refusal: one sentence, or a sentence at each field."""
    if refusal is None:
        return {"error": "", "errors": {}}
    return {"error": "" if refusal.fields else refusal.message, "errors": refusal.fields}
