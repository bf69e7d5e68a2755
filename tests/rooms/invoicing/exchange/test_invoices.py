"""Invoices from a file: what a dry run says is what happens, each id once, and an import is taken back.

Covers: invoices_web, undo.
"""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.exchange.test_imports import imported as customers_imported
from tests.rooms.invoicing.test_draft import queries_counted
from tests.support.app import RunningApp
from tests.support.client import Answer

SHEET = """source_id,customer_source_id,currency,description,quantity,unit,unit_price,discount,tax,note
R1,K1,,Concept,1.5,hur,95.00,10%,19,Thank you
R1,,,Style guide,3,,20.00,,reduced,
R2,K2,CHF,Advice,,,7.42,,19 %,
"""
CUSTOMERS = "source_id,name\nK1,Harbour Office\nK2,Kontor\n"


async def check(who: Person, csv: str, **body: Any) -> Any:
    answer = await who.post("/api/invoices/import/check", {"csv": csv, **body})
    assert answer.status == 200, answer.text
    return answer.json


async def imported(who: Person, csv: str, **body: Any) -> Answer:
    return await who.post("/api/invoices/import", {"csv": csv, **body})


async def drafts_of(who: Person) -> Any:
    return (await who.get("/api/invoices?status=draft")).json["invoices"]


async def test_a_dry_run_says_what_happens_and_then_it_does_once(app: RunningApp, acme: Person) -> None:
    await customers_imported(acme, CUSTOMERS)
    plan = await check(acme, SHEET)
    assert (plan["new"], plan["known"], plan["wrong"]) == (2, 0, 0)
    assert [(i["row"], i["customer"], i["lines"], i["payable_minor"]) for i in plan["invoices"]] == [
        (2, "Harbour Office", 2, 21682),
        (4, "Kontor", 1, 885),
    ]
    assert await drafts_of(acme) == []
    done = await imported(acme, SHEET)
    assert (done.status, done.json["created"], done.json["known"]) == (200, 2, 0)
    first, second = sorted(await drafts_of(acme), key=lambda row: row["currency"], reverse=True)
    assert (first["gross_minor"], second["gross_minor"], second["rounding_minor"]) == (21682, 883, 2)
    whole = (await acme.get(f"/api/invoices/{first['invoice_id']}")).json
    assert [(line["unit"], line["tax_code"]) for line in whole["lines"]] == [
        ("HUR", None),
        ("C62", "reduced"),
    ]
    assert (whole["note"], whole["tax_minor"]) == ("Thank you", 2857)
    again = await imported(acme, SHEET)
    assert again.json == {"import_id": None, "created": 0, "known": 2}
    assert (await check(acme, SHEET))["known"] == 2
    assert (await imported(acme, SHEET, source_type="shop")).status == 422, "K1 is no id of the shop"
    rows = await app.admin("select action from audit where action like 'invoices.%'")
    assert [row["action"] for row in rows] == ["invoices.imported"]


WRONG = """source_id,customer,currency,payment_days,supply_date,prices_include_tax,description,quantity,unit,unit_price,discount,tax
A,Twin,EUR,14,,,Fine,1,,1,,19
B,Nobody,XXX,1e3,2026-02-30,perhaps,,1,,1,,19
B,,,,,,Second,NaN,parsec,-1,-5,101
B,Twin,USD,,,,Third,1,,1.2345678,,gone
,Harbour Office,,,,,Fine,1,,1,,19
C,,,,,,Fine,1,,"12,50",,
"""


async def test_every_error_names_its_row_and_column_and_nothing_is_imported(acme: Person) -> None:
    await customers_imported(acme, "source_id,name\n1,Twin\n2,twin\n3,Harbour Office\n")
    plan = await check(acme, WRONG)
    told = {place for invoice in plan["invoices"] for place in invoice["errors"]}
    assert told == {
        "rows[2].customer",
        *(f"rows[3].{c}" for c in ("customer", "currency", "payment_days", "supply_date", "prices_include_tax", "description")),
        *(f"rows[4].{c}" for c in ("quantity", "unit", "unit_price", "discount", "tax")),
        *(f"rows[5].{c}" for c in ("customer", "currency", "unit_price", "tax")),
        "rows[6].source_id",
        *(f"rows[7].{c}" for c in ("customer", "unit_price", "tax")),
    }  # fmt: skip
    refused = await imported(acme, WRONG)
    assert (refused.status, refused.json["code"]) == (422, "invoicing.rows_wrong")
    assert "6 rows" in refused.text
    assert await drafts_of(acme) == []
    for body in ({"csv": ""}, {"csv": "description\nx\n"}, {"csv": SHEET, "source_type": "x" * 41}):
        answer = await acme.post("/api/invoices/import", body)
        assert (answer.status, answer.json["code"]) == (422, "invoicing.sheet_invalid")


async def test_undo_takes_back_what_is_still_a_draft_and_says_what_it_left(
    app: RunningApp, acme: Person
) -> None:
    await customers_imported(acme, CUSTOMERS)
    import_id = (await imported(acme, SHEET)).json["import_id"]
    path = f"/api/invoices/imports/{import_id}"
    kept, _gone = await drafts_of(acme)
    issued = (await acme.post(f"/api/invoices/{kept['invoice_id']}/finalise")).json
    globex = await person(app, "Globex")
    assert (await globex.post(f"{path}/undo")).status == 404
    answers = await asyncio.gather(*(acme.post(f"{path}/undo") for _ in range(20)))
    assert {a.status for a in answers} <= {200, 503}
    assert sum(a.json["taken_back"] for a in answers if a.status == 200) == 1
    (left,) = (await acme.post(f"{path}/undo")).json["left"]
    assert (left["number"], left["status"]) == (issued["number"], "open")
    told = (await acme.get(path)).json
    assert (told["created"], told["taken_back"], told["still"]) == (2, 1, 1)
    assert await drafts_of(acme) == []
    again = await imported(acme, SHEET)
    assert (again.json["created"], again.json["known"]) == (1, 1), "what was taken back may come anew"


async def test_twenty_at_once_import_a_file_once_and_a_neighbours_customer_is_nobody(
    app: RunningApp, acme: Person
) -> None:
    customer_id = await acme.customer()
    head = "source_id,description,unit_price,tax\n"
    rows = [f"R{n},Line {m},{n}.00,19\n" for n in range(40) for m in range(3)]
    files = (head + "".join(rows), head + "".join(reversed(rows)))
    answers = await asyncio.gather(
        *(imported(acme, files[n % 2], customer_id=customer_id) for n in range(20))
    )
    assert {a.status for a in answers} <= {200, 503}
    assert sum(a.json["created"] for a in answers if a.status == 200) == 40
    (counted,) = await app.admin("select count(*) as n, count(distinct invoice_id) as of from invoice_line")
    assert (counted["n"], counted["of"]) == (120, 40)
    globex = await person(app, "Globex")
    assert (await imported(globex, files[0], customer_id=customer_id)).status == 404
    check_foreign = await globex.submit("/invoices/import/check", csv=files[0], customer_id=customer_id)
    assert check_foreign.status == 404
    named = head.replace("source_id", "source_id,customer_id") + f"R1,{customer_id},Line,1,19\n"
    refused = await imported(globex, named)
    assert (refused.status, list(refused.json["fields"])) == (422, ["rows[2].customer_id"])


async def test_ten_thousand_rows_take_as_many_statements_as_one(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer()
    head = "source_id,description,unit_price,tax\n"
    counts = []
    for name, many in (("one", 1), ("many", 10_000)):
        before = queries_counted(app, "POST /api/invoices/import")
        csv = head + "".join(f"{name}-{n // 4},Line,{n}.00,19\n" for n in range(many))
        done = await imported(acme, csv, customer_id=customer_id)
        assert done.status == 200, done.text
        counts.append(queries_counted(app, "POST /api/invoices/import") - before)
    assert counts[0] == counts[1]
    (counted,) = await app.admin("select count(*) as n from invoice")
    assert counted["n"] == 2_501


async def test_a_file_is_chosen_checked_imported_and_taken_back_on_the_pages(
    app: RunningApp, acme: Person
) -> None:
    customer_id = await acme.customer()
    csv = "source_id,description,unit_price,tax\nR1,</textarea><b>,95,19\n"
    assert customer_id in (await acme.get("/invoices/import")).text
    form = {"source_type": "shop", "customer_id": customer_id}
    checked = await acme.submit("/invoices/import/check", csv=csv, **form)
    assert "Import 1 draft" in checked.text
    assert "1 line, €113.05" in checked.text
    kept = re.search(r'<textarea name="csv"[^>]*>\n(.*?)</textarea>', checked.text, re.DOTALL)
    assert kept
    assert f'name="customer_id" value="{customer_id}"' in checked.text
    sent = await acme.submit("/invoices/import", csv=html.unescape(kept[1]), **form)
    assert sent.status == 303, sent.text
    place = sent.header("location") or ""
    page = (await acme.get(place)).text
    assert "1 draft is imported." in page
    assert "Take it back" in page
    assert place in html.unescape((await acme.get("/invoices/import")).text)
    wrong = await acme.submit(
        "/invoices/import", csv=csv.replace("95", "x"), source_type="other", customer_id=customer_id
    )
    assert (wrong.status, "unit_price: " in wrong.text) == (422, True)
    viewer = await person(app, tenant_id=acme.tenant_id, role="viewer")
    assert (await viewer.submit(f"{place}/undo")).status == 403
    assert "Take it back" not in (await viewer.get(place)).text
    undone = await acme.submit(f"{place}/undo")
    assert undone.status == 303
    assert "1 draft is taken back." in (await acme.get(place)).text
