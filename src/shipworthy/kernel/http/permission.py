"""Permissions: what a role may do, as the rooms declare it. Who acts for no tenant is led to where one is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shipworthy.kernel.context import Ctx, Principal
from shipworthy.kernel.errors import Forbidden, Missing, Refusal
from shipworthy.kernel.language import _
from shipworthy.kernel.own import declared
from shipworthy.kernel.room import NO_TENANT
from shipworthy.kernel.route import Route
from shipworthy.kernel.runtime import Runtime

CHOOSE_PATH = "/organisations"  # the page where a person chooses for which tenant they act

_TOO_LITTLE = "permission.missing"

Held = dict[str, frozenset[str]]


class NoTenantChosen(Forbidden):
    """The person acts for no tenant; with one they may well do this."""

    def __init__(self) -> None:
        super().__init__("permission.no_tenant", _("You act for no organisation. Choose one first."))


def permissions_of(runtime: Runtime) -> Held:
    """Return what each role holds in all rooms together."""
    roles: Held = {}
    for room in declared(runtime.rooms):
        for role, held in room.permissions.items():
            roles[role] = roles.get(role, frozenset()) | held
    return roles


def check_permission(ctx: Ctx, route: Route, held: Held) -> None:
    """Errors: NoTenantChosen, Forbidden `permission.missing`; Missing while the route's flag is off for them."""
    if route.flag is not None and not ctx.is_on(route.flag):
        raise Missing()
    if route.auth == "operator":
        if not ctx.user.is_operator:
            raise Missing()  # as for any address that is not there: tenants need not know of it
        return
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


class Nav:
    """The console's navigation: for each person the entries that lead them somewhere."""

    def __init__(self, runtime: Runtime, routes: Iterable[Route], held: Held) -> None:
        pages = {route.path: route for route in routes if route.method == "GET"}
        items = [(pages.get(item.href), item) for room in declared(runtime.rooms) for item in room.nav]
        self._of_operators = [item for page, item in items if page is not None and page.auth == "operator"]
        self._items = [
            (page.permission if page else None, item)
            for page, item in items
            if item not in self._of_operators
        ]
        self._held = held

    def instead_of(self, scope: Any, refusal: Refusal, person: Principal | None) -> str | None:
        """Return where somebody begins whose role does not open the app's first page; None for any other refusal."""
        if refusal.code != _TOO_LITTLE or scope["method"] != "GET" or scope["path"] != self._items[0][1].href:
            return None
        return next((item["href"] for item in self.of(person)), None)

    def of(self, person: Principal | None) -> list[dict[str, str]]:
        """Return the entries in the reader's language; of the rooms none for who acts for no tenant."""
        if person is None:
            return []
        held = self._held.get(person.role or NO_TENANT, frozenset())
        items = [item for needed, item in self._items if needed is None or needed in held]
        shown = [*(items if person.tenant_id else []), *(self._of_operators if person.is_operator else [])]
        return [
            {"href": item.href, "label": _(item.label), "icon": item.icon, "section": item.section}
            for item in shown
        ]
