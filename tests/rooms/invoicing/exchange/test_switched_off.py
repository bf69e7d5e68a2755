"""The import of customers can be switched off for one tenant while the app runs; the neighbour keeps it."""

from __future__ import annotations

import json

from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp


async def test_a_tenant_without_the_import_does_not_see_it_and_the_neighbour_does(
    app: RunningApp, acme: Person
) -> None:
    globex = await person(app, tenant="Globex")
    flags = app.runtime.flags.provider
    assert (await acme.get("/customers/import")).status == 200
    (found,) = await app.admin("select tenant_id from tenant where name = 'Acme'")
    rule = {"if": [{"==": [{"var": "tenant"}, str(found["tenant_id"])]}, "off"]}
    flag = {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "on",
        "targeting": rule,
    }
    flags.file.write_text(json.dumps({"flags": {"invoicing.customer_import": flag}}))
    flags.look_now()
    assert (await acme.get("/customers/import")).status == 404
    assert (await globex.get("/customers/import")).status == 200
    assert ">Import</a>" not in (await acme.get("/customers")).text
    assert ">Import</a>" in (await globex.get("/customers")).text
    sent = {"csv": "source_id,name\nA,Ann\n"}
    assert (await acme.post("/api/customers/import", sent)).status == 404
    assert (await globex.post("/api/customers/import", sent)).status == 200
    flags.file.write_text("{")
    flags.look_now()
    assert flags.problem
    assert (await acme.get("/customers/import")).status == 404
