"""Credit notes: exact in any number of steps, never beyond what was invoiced, frozen, counted for themselves.

Covers: credit_screens.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.pricing.credit import InvoicedLine, compute_credit
from shipworthy.rooms.invoicing.tax import Line, Totals, compute_totals
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_frozen import as_app
from tests.rooms.invoicing.test_payments import GROSS, pays, read, wrongly_settled
from tests.support.app import RunningApp

kinds = st.sampled_from(["discount", "charge"])
agreed = st.builds(Change, kind=kinds, percent_bp=st.integers(1, 10_000)) | st.builds(
    Change, kind=kinds, amount_minor=st.integers(1, 99)
)
taxed_apart = st.builds(
    Change,
    kind=st.just("charge"),
    amount_minor=st.integers(1, 99),
    tax_category=st.just("S"),
    tax_rate_bp=st.sampled_from([1900, 500]),
)
quantities = st.decimals("0.001", "9999", places=3) | st.decimals("-99", "-0.001", places=3)
lines = st.builds(
    Line,
    description=st.just("x"),
    quantity=quantities,
    unit_price=st.decimals("0", "999", places=4),
    tax_category=st.just("S"),
    rate_bp=st.sampled_from([700, 1900, 825, 1]),
    change=st.none() | st.none() | agreed,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(lines, min_size=1, max_size=6),
    st.integers(0, 4),
    st.lists(agreed | taxed_apart, max_size=2),
    st.booleans(),
    st.sampled_from([1, 5, 100]),
    st.data(),
)
def test_an_invoice_and_the_credit_notes_that_take_it_back_are_nothing_in_every_tax_group(
    invoiced: list[Line],
    exponent: int,
    changes: list[Change],
    includes_tax: bool,
    step: int,
    data: st.DataObject,
) -> None:
    try:
        invoice = compute_totals(
            invoiced,
            exponent=exponent,
            changes=changes,
            prices_include_tax=includes_tax,
            rounding_step_minor=step,
        )
    except Invalid:  # a discount higher than what it is taken from
        reject()
    left, due, credited = groups_of(invoice), invoice.payable_minor, 0
    amounts = [sum(pair) for pair in zip(invoice.line_nets_minor, invoice.line_taxes_minor, strict=True)]
    nets = amounts if includes_tax else list(invoice.line_nets_minor)
    applied = invoice.line_changes or (None,) * len(invoiced)
    state = [
        InvoicedLine(line_no=n, line=line, change=change)
        for n, (line, change) in enumerate(zip(invoiced, applied, strict=True), 1)
    ]
    for is_last in [False] * data.draw(st.integers(0, 3)) + [True]:
        shares = {
            line.line_no: line.left if is_last else part_of(line.left, data) for line in state if line.left
        }
        wanted = {line_no: share for line_no, share in shares.items() if share}
        credit = compute_credit(
            state,
            wanted,
            exponent=exponent,
            changes=invoice.changes,
            prices_include_tax=includes_tax,
            rounding_step_minor=step,
            gross_before_minor=credited,
        )
        assert credit.payable_minor % step == 0
        due, credited = due - credit.payable_minor, credited + credit.gross_minor
        assert credit.net_minor + credit.tax_minor == credit.gross_minor
        for key, (base, tax) in groups_of(credit).items():
            before = left[key]
            left[key] = (before[0] - base, before[1] - tax)
        taken = zip(wanted, credit.line_nets_minor, credit.line_taxes_minor, strict=True)
        for line_no, net, tax in taken:
            nets[line_no - 1] -= net + tax if includes_tax else net
        state = [
            InvoicedLine(
                line_no=line.line_no,
                line=line.line,
                change=line.change,
                credited=line.credited + wanted.get(line.line_no, Decimal(0)),
            )
            for line in state
        ]
    assert set(left.values()) == {(0, 0)}
    assert not any(nets)
    assert due == 0


def groups_of(totals: Totals) -> dict[tuple[str, int], tuple[int, int]]:
    return {(g.category, g.rate_bp): (g.base_minor, g.tax_minor) for g in totals.groups}


def part_of(left: Decimal, data: st.DataObject) -> Decimal:
    """A share of what is left, to the thousandth: nothing, a third, or all of it."""
    share = data.draw(st.sampled_from([Decimal(0), Decimal("0.333"), Decimal(1)]))
    return (left * share).quantize(Decimal("0.001"))


async def credits(who: Person, invoice: dict[str, Any], *some: tuple[int, str], **more: str) -> Any:
    body = {"lines": [{"line_no": n, "quantity": many} for n, many in some]} if some else {}
    return await who.post(f"/api/invoices/{invoice['invoice_id']}/credit-notes", body, **more)


async def test_a_whole_credit_note_settles_what_is_owed_and_has_a_number_of_its_own(
    app: RunningApp, acme: Person
) -> None:
    issued = await acme.issued()
    await pays(acme, issued, 6_958)
    stale = await credits(acme, issued, if_match='"2"')
    assert (stale.status, stale.json["code"]) == (412, "invoicing.stale")
    done = await credits(acme, issued)
    year = app.runtime.now().year
    assert (done.status, done.json["number"], done.json["status"]) == (201, f"CN-{year}-00001", "credited")
    assert done.json["balance_minor"] == 6_958  # what was paid is the customer's credit
    now = await read(acme, issued)
    assert (now["status"], now["credited_minor"], now["balance_minor"]) == ("paid", 10_000, 0)
    note = await read(acme, done.json)
    assert (note["kind"], note["credits_invoice_id"]) == ("credit_note", issued["invoice_id"])
    assert (note["taxes"], note["gross_minor"]) == (issued["taxes"], GROSS)
    assert (await credits(acme, issued)).json["code"] == "invoicing.nothing_to_credit"
    assert (await credits(acme, done.json)).json["code"] == "invoicing.not_open"
    second = await acme.issued(issued["customer_id"])
    assert second["number"].endswith("-00002")
    used = await acme.post(f"/api/invoices/{second['invoice_id']}/use-credit", {})
    assert used.json["balance_minor"] == GROSS - 6_958
    assert await wrongly_settled(app) == []


async def test_lines_are_credited_in_steps_and_never_beyond_what_was_invoiced(acme: Person) -> None:
    issued = await acme.issued(lines=[{**LINE, "quantity": "3"}, {**LINE, "quantity": "-1"}])
    for wrong in ((1, "3.1"), (1, "-1"), (2, "1"), (3, "1"), (1, "1,5")):
        refused = await credits(acme, issued, wrong)
        assert (refused.status, list(refused.json["fields"])) == (422, [f"lines[{wrong[0]}].quantity"])
    assert (await credits(acme, issued, (1, "1"))).status == 201
    too_high = await credits(acme, issued, (1, "2"))  # the line taken off the invoice would be forgotten
    assert (too_high.status, too_high.json["code"]) == (409, "invoicing.credit_too_high")
    again = await credits(acme, issued, (1, "2.5"))
    assert again.status == 422
    assert (await credits(acme, issued)).status == 201
    assert (await read(acme, issued))["balance_minor"] == 0


async def test_twenty_at_once_credit_an_invoice_once(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued(lines=[{**LINE, "quantity": "4"}])
    answers = await asyncio.gather(*(credits(acme, issued, (1, "1")) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 4 + [422] * 16
    assert (await read(acme, issued))["status"] == "paid"
    numbers = sorted(answer.json["number"][-5:] for answer in answers if answer.status == 201)
    assert numbers == ["00001", "00002", "00003", "00004"]
    assert await wrongly_settled(app) == []


async def test_a_credit_note_is_frozen_and_its_rest_is_what_was_not_allocated(
    app: RunningApp, acme: Person
) -> None:
    issued = await acme.issued()
    note = (await credits(acme, issued)).json
    for change in ("gross_minor = 1, net_minor = 1, tax_minor = 0", "credited_minor = 0", "status = 'void'"):
        with pytest.raises(Exception, match="row-level security|check constraint"):
            await as_app(app, acme, f"update invoice set {change} where kind = 'credit_note'")
    assert await as_app(app, acme, "delete from invoice where kind = 'credit_note' returning 1") == []
    neighbour = await person(app, "Globex")
    assert (await credits(neighbour, issued)).status == 404
    assert (await neighbour.get(f"/api/invoices/{note['invoice_id']}")).status == 404
    draft = await acme.draft()
    assert (await credits(acme, draft)).json["code"] == "invoicing.not_issued"


async def test_the_page_credits_and_the_document_says_what_it_is(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued()
    path = f"/invoices/{issued['invoice_id']}/credit"
    assert 'value="1.5"' in (await acme.get(path)).text
    wrong = await acme.submit(path, lines__0__line_no="1", lines__0__quantity="2", note="kept")
    assert wrong.status == 422
    assert "is left to credit" in wrong.text
    assert "kept" in wrong.text
    done = await acme.submit(path, lines__0__line_no="1", lines__0__quantity="1")
    assert done.status == 303
    place = str(done.header("location"))
    page = (await acme.get(place)).text
    assert f'for invoice <span class="whole">{issued["number"]}</span>' in page
    assert f">{issued['number']}</a>" in page
    assert "Credited by" in (await acme.get(f"/invoices/{issued['invoice_id']}")).text
    assert "\N{MINUS SIGN}€113.05" in (await acme.get("/invoices?status=credited")).text
    note_id = place.rpartition("/")[2]
    await acme.run_jobs(note_id)
    assert (await acme.get(f"/api/invoices/{note_id}/pdf")).status == 200
