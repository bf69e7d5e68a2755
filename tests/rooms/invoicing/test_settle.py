"""How an open invoice ends: paid or void, once."""

from __future__ import annotations

import pytest

from tests.rooms.invoicing.conftest import Person
from tests.support.app import RunningApp


@pytest.mark.parametrize(
    ("verb", "status", "moment"), [("pay", "paid", "paid_at"), ("void", "void", "voided_at")]
)
async def test_an_open_invoice_ends_once_and_keeps_its_number(
    app: RunningApp, acme: Person, verb: str, status: str, moment: str
) -> None:
    issued = await acme.issued()
    path = f"/api/invoices/{issued['invoice_id']}"
    stale = await acme.post(f"{path}/{verb}", if_match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "invoicing.stale")
    done = await acme.post(f"{path}/{verb}", if_match='"2"')
    assert done.json == {
        "invoice_id": issued["invoice_id"],
        "number": issued["number"],
        "status": status,
        "version": 3,
        "balance_minor": 0,
    }
    assert (await acme.get(path)).json[moment] is not None
    for other in ("pay", "void"):
        refused = await acme.post(f"{path}/{other}")
        assert (refused.status, refused.json["code"]) == (409, "invoicing.not_open")
    actions = await app.admin(
        "select action from audit where object_id = $1 order by audit_id", issued["invoice_id"]
    )
    assert [row["action"] for row in actions] == ["invoice.created", "invoice.issued", f"invoice.{status}"]


async def test_a_draft_can_be_neither_paid_nor_voided(acme: Person) -> None:
    draft = await acme.draft()
    for verb in ("pay", "void"):
        refused = await acme.post(f"/api/invoices/{draft['invoice_id']}/{verb}")
        assert (refused.status, refused.json["code"]) == (409, "invoicing.not_issued")
    assert (await acme.get(f"/api/invoices/{draft['invoice_id']}")).json["status"] == "draft"


async def test_a_void_number_is_never_used_again(acme: Person) -> None:
    first = await acme.issued()
    await acme.post(f"/api/invoices/{first['invoice_id']}/void")
    second = await acme.issued()
    assert (first["number"][-5:], second["number"][-5:]) == ("00001", "00002")


async def test_an_invoice_that_was_given_up_can_still_be_paid_or_void(acme: Person) -> None:
    one, two = await acme.issued(), await acme.issued()
    for invoice, verb, status in ((one, "pay", "paid"), (two, "void", "void")):
        path = f"/api/invoices/{invoice['invoice_id']}"
        given_up = await acme.post(f"{path}/uncollectible", if_match='"2"')
        assert (given_up.json["status"], given_up.json["balance_minor"]) == ("uncollectible", 16_958)
        again = await acme.post(f"{path}/uncollectible")
        assert (again.status, again.json["code"]) == (409, "invoicing.not_open")
        assert (await acme.post(f"{path}/{verb}")).json["status"] == status
        read = (await acme.get(path)).json
        assert (read["uncollectible_at"], read["number"]) == (None, invoice["number"])
    assert (await acme.get("/invoices?status=uncollectible")).status == 200
