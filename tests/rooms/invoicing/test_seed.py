"""Example data and volume: true to every rule of the room."""

from __future__ import annotations

import uuid

from shipworthy.kernel.seed import demo_tenants, seed_demo, seed_volume, tenant_id_of
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp


async def test_a_seeded_tenant_has_customers_with_its_marker_and_invoices_in_every_state(
    app: RunningApp,
) -> None:
    tenants = demo_tenants(app.runtime.realm_id, "x" * 16)
    assert await seed_demo(app.runtime, tenants)
    for tenant in tenants:
        tenant_id = tenant_id_of(app.runtime.realm_id, tenant)
        names = await app.admin("select name from customer where tenant_id = $1", tenant_id)
        assert names
        assert all(tenant.marker in row["name"] for row in names)
        states = await app.admin("select distinct status from invoice where tenant_id = $1", tenant_id)
        assert {row["status"] for row in states} == {"draft", "open", "paid", "void", "credited"}
        numbers = await app.admin(
            "select number from invoice where tenant_id = $1 and seq is not null order by issue_date, seq",
            tenant_id,
        )
        assert len({row["number"] for row in numbers}) == len(numbers)
        waiting = {"printed_invoice_id", "sent_mail_id"}  # until the worker has run
        assert set(await every_sample_is_there(app, tenant_id)) == waiting


async def every_sample_is_there(app: RunningApp, tenant_id: uuid.UUID) -> list[str]:
    """Return the samples that find nothing, looked up as the app's role in the tenant's scope."""
    ctx = app.ctx(tenant_id=tenant_id)
    async with ctx.begin() as tx:
        return [sample.name for sample in ROOM.samples if not await tx.raw(sample.sql)]


async def test_volume_adds_up_and_numbers_go_on_after_it(app: RunningApp, acme: Person) -> None:
    first = await acme.issued()
    await seed_volume(app.url("admin"), app.runtime.realm_id, (ROOM,), large_tenant=acme.tenant_id)
    wrong = await app.admin(
        """
        select invoice_id from invoice i
        join lateral (select sum(net_minor) as net, sum(tax_minor) as tax from invoice_line l
          where l.tenant_id = i.tenant_id and l.invoice_id = i.invoice_id) l on true
        join lateral (select sum(base_minor) as net, sum(tax_minor) as tax from invoice_tax t
          where t.tenant_id = i.tenant_id and t.invoice_id = i.invoice_id) t on true
        where coalesce((i.net_minor, i.tax_minor) <> (l.net, l.tax), true) or (i.net_minor, i.tax_minor) <> (t.net, t.tax)
        """
    )
    assert wrong == []
    gaps = await app.admin(
        "select tenant_id, period from invoice where seq is not null group by tenant_id, series_id, period"
        " having max(seq) <> count(*) or min(seq) <> 1"
    )
    assert gaps == []
    following = await acme.issued()
    assert int(following["number"][-5:]) > int(first["number"][-5:]) + 1
    neighbour = await person(app, "Globex")
    assert (await neighbour.get("/api/invoices")).json["invoices"] == []
