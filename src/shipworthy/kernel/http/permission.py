"""Permissions: what a role may do, as the rooms declare it. Who acts for no tenant is led to where one is chosen."""

from __future__ import annotations

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Forbidden
from shipworthy.kernel.language import _
from shipworthy.kernel.room import NO_TENANT
from shipworthy.kernel.route import Route
from shipworthy.kernel.runtime import Runtime

CHOOSE_PATH = "/organisations"  # the page where a person chooses for which tenant they act

Held = dict[str, frozenset[str]]


class NoTenantChosen(Forbidden):
    """The person acts for no tenant; with one they may well do this."""

    def __init__(self) -> None:
        super().__init__("permission.no_tenant", _("You act for no organisation. Choose one first."))


def permissions_of(runtime: Runtime) -> Held:
    """Return what each role holds in all rooms together."""
    roles: Held = {}
    for room in runtime.rooms:
        for role, held in room.permissions.items():
            roles[role] = roles.get(role, frozenset()) | held
    return roles


def check_permission(ctx: Ctx, route: Route, held: Held) -> None:
    """Errors: NoTenantChosen, Forbidden `permission.missing`."""
    role = ctx.user.role or NO_TENANT
    if route.permission is None or route.permission in held.get(role, frozenset()):
        return
    if role == NO_TENANT:
        raise NoTenantChosen
    raise Forbidden(
        "permission.missing",
        _(
            "Your role does not include '{permission}'. Ask an owner of your organisation.",
            permission=route.permission,
        ),
    )
