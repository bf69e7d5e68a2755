"""Every route that changes something leaves exactly one row of the audit for each thing it changes; refused, none.

Driven by what the routes declare: each is called as the examiner would, in a whole app with its example data.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path

from shipworthy.contract.manifest import Manifest, Route
from shipworthy.gauntlet.call import Call, prepare
from shipworthy.gauntlet.check import Undecided
from shipworthy.kernel.context import Scope
from shipworthy.kernel.describe import describe
from shipworthy.kernel.seed import demo_tenants, seed_demo, tenant_id_of
from shipworthy.kernel.settings import AppSection, AuthSection, Settings
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.room import ROOM as AUTH
from shipworthy.rooms.invoicing.room import ROOM as INVOICING
from shipworthy.rooms.site.room import ROOM as SITE
from tests.support.app import RunningApp, app_running
from tests.support.client import Client

ROOMS = (AUTH, INVOICING, SITE)
PASSWORD = "a lantern over quiet water"
# What is asked with a body, or must not be answered by a cache: nothing of anybody's changes.
ONLY_ASKS = {
    "POST /login/passkey/options",
    "POST /login/second/passkey/options",
    "POST /account/confirm/passkey/options",
    "POST /account/factors/passkeys/options",
    "POST /api/customers/import/check",
    "POST /api/invoices/import/check",
    "POST /api/invoices/import/preview",
    "POST /api/redirects/check",
    "POST /customers/import/check",
    "POST /invoices/import/check",
    "POST /invoices/lines",
    "POST /invoices/preview",
    "POST /invoices/{invoice_id}/send/preview",
    "POST /pages/snippet",
    "POST /redirects/check",
    "POST /sites/{site_id}/choose",
}
# What changes two things at once: the row of the second. Paying an invoice is a payment, too; crediting one issues a
# credit note; and a page is saved before it is published.
ALSO = {
    "POST /api/invoices/{invoice_id}/pay": "payment.recorded",
    "POST /invoices/{invoice_id}/pay": "payment.recorded",
    "POST /api/invoices/{invoice_id}/credit-notes": "invoice.issued",
    "POST /invoices/{invoice_id}/credit": "invoice.issued",
    "POST /pages/{page_id}/save-and-publish": "page.edited",
}
# What the example asks for is so already: nothing changes, and no row is owed. The edge refuses a handler that says neither.
UNCHANGED = {
    "POST /api/hosts/{host}/primary",
    "POST /site/hosts/{host}/primary",
    "POST /api/invoices/imports/{import_id}/undo",
    "POST /invoices/imports/{import_id}/undo",
    "POST /customers/import",
    "POST /invoices/import",
    "POST /imports",
    "POST /site/domains/{claim_id}/verify",
}
# What an example cannot reach: why. Each is refused here and leaves no row; its own tests reach it.
OUT_OF_REACH = {
    "needs a secret of its person": {
        "POST /account/confirm", "POST /account/confirm/mail", "POST /account/confirm/passkey", "POST /account/factors/passkeys",
        "POST /account/factors/recovery", "POST /account/factors/totp/confirm", "POST /account/password", "POST /login",
        "POST /login/passkey", "POST /login/proof", "POST /login/second", "POST /login/second/passkey",
        "POST /login/second/passkey/options", "POST /api/token", "POST /api/token/revoke",
    },
    "needs the link of a letter": {
        "POST /address", "POST /address/undo", "POST /invitation/accept", "POST /invitation/sign-up", "POST /leaving/undo",
        "POST /reset", "POST /verify",
    },
    "needs what the demo data does not have": {
        "POST /account/factors/passkeys/{passkey_id}/remove", "POST /account/factors/passkeys/{passkey_id}/rename",
        "POST /account/identities/{provider}", "POST /api/invoices/{invoice_id}/pdf", "POST /invoices/{invoice_id}/pdf",
        "POST /api/mails/{mail_id}/resend", "POST /mails/{mail_id}/resend", "POST /organisations",
    },
    "is refused to the only owner": {"POST /account/leave", "POST /organisation/leave"},
    "needs the version that was read": {"PUT /api/invoices/{invoice_id}", "PUT /api/pages/{page_id}"},
}  # fmt: skip


def settings() -> Settings:
    return Settings(
        app=AppSection(name="Test app", rooms=tuple(room.name for room in ROOMS)),
        auth=AuthSection(hash_memory_kib=8, hash_passes=1, hash_workers=1),
    )


def changing(manifest: Manifest) -> list[Route]:
    return [route for route in manifest.routes if route.method not in ("GET", "HEAD")]


def owed(route: Route) -> list[str]:
    """Return the actions whose rows one successful request leaves."""
    name = name_of(route)
    if name in ONLY_ASKS | UNCHANGED:
        return []
    assert route.audit is not None
    return sorted([route.audit, *([ALSO[name]] if name in ALSO else [])])


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_every_route_that_may_change_something_declares_its_row() -> None:
    manifest = describe(settings(), ROOMS)
    routes = [*changing(manifest), *(r for r in manifest.operator_routes if r.method != "GET")]
    assert {name_of(route) for route in routes if route.audit is None} == ONLY_ASKS
    assert {name_of(route) for route in routes if route.audit is not None and route.effect == "read"} == set()


async def test_every_route_leaves_exactly_one_row(cluster: PostgresAddress, tmp_path: Path) -> None:
    manifest = describe(settings(), ROOMS)
    async with app_running(cluster, ROOMS, tmp_path, settings=settings()) as app:
        scene = await Scene.begin(app, manifest)
        refused, wrong = set(), {}
        for route in sorted(changing(manifest), key=_order):
            answer, actions = await scene.call(route)
            if answer >= 400:
                refused.add(name_of(route))
            if actions != (owed(route) if answer < 400 else []):
                wrong[name_of(route)] = (answer, actions)
        assert wrong == {}
        assert refused == set().union(*OUT_OF_REACH.values())


def _order(route: Route) -> int:
    """What takes away comes after what it takes, and what ends the account last."""
    takes = ("/remove", "/delete", "/end", "/undo", "/leave", "/void", "/revoke", "/logout")
    return ("read", "create", "change", "end").index(route.effect) * 10 + any(w in route.path for w in takes)


class Scene:
    """The owner of a demo tenant, whose calls are counted row by row."""

    def __init__(self, app: RunningApp, manifest: Manifest, tenant_id: uuid.UUID, email: str) -> None:
        self.app, self.manifest, self.tenant_id, self.email = app, manifest, tenant_id, email
        self.client = Client(None)
        self.seen: set[uuid.UUID] = set()

    @classmethod
    async def begin(cls, app: RunningApp, manifest: Manifest) -> Scene:
        tenants = demo_tenants(app.runtime.realm_id, PASSWORD)
        assert await seed_demo(app.runtime, tenants)
        scene = cls(app, manifest, tenant_id_of(app.runtime.realm_id, tenants[0]), tenants[0].email)
        await scene.sign_in()
        return scene

    async def sign_in(self) -> None:
        self.client = self.app.client()
        form = {"email": self.email, "password": PASSWORD}
        assert (await self.client.post("/login", form=form)).status == 303

    async def call(self, route: Route) -> tuple[int, list[str]]:
        """Call it once; return the answer's status (999: no sample) and the actions of the rows that came."""
        try:
            call = prepare(route, await self.samples())
        except Undecided:
            return 999, []
        await self.rows()
        answer = await self._send(call)
        if answer == 401:
            await self.sign_in()
            await self.rows()
            answer = await self._send(call)
        return answer, await self.rows()

    async def _send(self, call: Call) -> int:
        answer = await self.client.request(
            call.method, call.path, json_body=call.json_body, headers=dict(call.headers)
        )
        if answer.status == 303 and (answer.header("location") or "").startswith("/login?"):
            return 401
        return answer.status

    async def samples(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        async with self.app.runtime.database.begin(Scope(self.app.runtime.realm_id, self.tenant_id)) as tx:
            for sample in self.manifest.samples:
                rows = await tx.raw(sample.sql)
                value = next(iter(dict(rows[0]).values())) if rows else None
                if value is not None:
                    found[sample.name] = str(value)
        return found

    async def rows(self) -> list[str]:
        """Return the actions of all rows since this was asked last."""
        found = await self.app.admin(
            "select audit_id, action from audit where tenant_id = $1 union all select audit_id, action from realm_audit",
            self.tenant_id,
        )
        new = [row["action"] for row in found if row["audit_id"] not in self.seen]
        self.seen |= {row["audit_id"] for row in found}
        return sorted(new)
