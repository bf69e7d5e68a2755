"""Imports: what a dry run says is what happens, whole or not at all, each row once.

Covers: web, customers, pages.
"""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp
from tests.support.client import Answer

CUSTOMERS = "source_id;name;city;country;email\nK1;Müller & Söhne;Kiel;de;post@mueller.example\nK2;'=Zoo;;;\n"


async def check(who: Person, csv: str, **body: str) -> dict[str, Any]:
    answer = await who.post("/api/customers/import/check", {"csv": csv, **body})
    assert answer.status == 200, answer.text
    plan: dict[str, Any] = answer.json
    return plan


async def imported(who: Person, csv: str, **body: str) -> Answer:
    return await who.post("/api/customers/import", {"csv": csv, **body})


async def names_of(who: Person, text: str = "") -> list[str]:
    rows = (await who.get(f"/api/customers?q={text}")).json["customers"]
    return [row["name"] for row in rows]


async def test_a_dry_run_says_what_happens_and_changes_nothing(app: RunningApp, acme: Person) -> None:
    plan = await check(acme, CUSTOMERS)
    assert (plan["new"], plan["known"], plan["wrong"]) == (2, 0, 0)
    assert [(row["row"], row["outcome"]) for row in plan["rows"]] == [(2, "new"), (3, "new")]
    assert await names_of(acme) == []
    done = await imported(acme, CUSTOMERS)
    assert (done.status, done.json) == (200, {"created": 2, "known": 0})
    assert (await names_of(acme), await names_of(acme, "kiel")) == (
        ["=Zoo", "Müller & Söhne"],
        ["Müller & Söhne"],
    )
    assert (await check(acme, CUSTOMERS))["known"] == 2
    assert (await imported(acme, CUSTOMERS)).json == {"created": 0, "known": 2}
    assert (await imported(acme, CUSTOMERS + "K3;New;;;\n")).json == {"created": 1, "known": 2}
    assert (await imported(acme, CUSTOMERS, source_type="shop")).json == {"created": 2, "known": 0}
    rows = await app.admin("select object_id from audit where action = 'customers.imported'")
    assert len(rows) == 3


async def test_every_error_names_its_row_and_column_and_nothing_is_imported(acme: Person) -> None:
    wrong = "source_id,name,country,email\nA,Fine,DE,\nB,,DE,\nC,Bob,Germany,x\nA,Bob,DE,\n,Bob,,\n"
    plan = await check(acme, wrong)
    told = {(row["row"], column) for row in plan["rows"] for column in row["errors"]}
    assert told == {(3, "name"), (4, "country"), (4, "email"), (5, "source_id"), (6, "source_id")}
    assert (plan["new"], plan["wrong"]) == (1, 4)
    refused = await imported(acme, wrong)
    assert (refused.status, refused.json["code"]) == (422, "invoicing.rows_wrong")
    assert {"rows[3].name", "rows[5].source_id"} <= set(refused.json["fields"])
    assert await names_of(acme) == []
    for body in ({"csv": ""}, {"csv": "city\nKiel\n"}, {"csv": CUSTOMERS, "source_type": "x" * 41}):
        answer = await acme.post("/api/customers/import", body)
        assert (answer.status, answer.json["code"]) == (422, "invoicing.sheet_invalid")


async def test_twenty_at_once_import_a_file_once_and_a_neighbour_has_its_own(
    app: RunningApp, acme: Person
) -> None:
    turned = "source_id;name\n" + "".join(f"K{n};Customer {n}\n" for n in reversed(range(50)))
    straight = "source_id;name\n" + "".join(f"K{n};Customer {n}\n" for n in range(50))
    answers = await asyncio.gather(*(imported(acme, (straight, turned)[n % 2]) for n in range(20)))
    assert {a.status for a in answers} <= {200, 503}
    assert sum(a.json["created"] for a in answers if a.status == 200) == 50
    (counted,) = await app.admin("select count(*) as n from customer")
    assert counted["n"] == 50
    globex = await person(app, "Globex")
    assert (await imported(globex, straight)).json == {"created": 50, "known": 0}


async def test_an_export_of_ten_thousand_comes_back_elsewhere_in_one_piece(
    app: RunningApp, acme: Person
) -> None:
    csv = "source_id,name\n" + "".join(f"K{n},Customer {n}\n" for n in range(10_000))
    done = await imported(acme, csv)
    assert (done.status, done.json) == (200, {"created": 10_000, "known": 0}), done.text
    assert await names_of(acme, "customer 9999") == ["Customer 9999"]
    assert (await imported(acme, csv)).json == {"created": 0, "known": 10_000}
    globex = await person(app, "Globex")
    exported = (await acme.get("/api/customers.csv")).body.decode()
    assert (await imported(globex, exported)).json == {"created": 10_000, "known": 0}


async def test_a_file_is_chosen_checked_and_imported_on_the_pages(app: RunningApp, acme: Person) -> None:
    csv = CUSTOMERS + "K3;</textarea><b>;;;\n"
    checked = await upload(acme, csv)
    assert checked.status == 200, checked.text
    assert "Import 3 customers" in checked.text
    kept = re.search(r'<textarea name="csv"[^>]*>\n(.*?)</textarea>', checked.text, re.DOTALL)
    assert kept
    assert html.unescape(kept[1]) == csv
    sent = await acme.submit("/customers/import", source_type="shop", csv=html.unescape(kept[1]))
    assert sent.status == 303
    assert "3 customers are imported." in (await acme.get("/customers")).text
    assert "Every row of this file was imported before." in (await upload(acme, csv)).text
    not_utf8 = await upload(acme, "name\nMüller", encoding="latin-1")
    assert (not_utf8.status, "Line 2 is not UTF-8" in not_utf8.text) == (422, True)
    refused = await acme.submit("/customers/import", csv="source_id,name\nX,\n")
    assert (refused.status, "1 row cannot be imported" in refused.text) == (422, True)
    viewer = await person(app, tenant_id=acme.tenant_id, role="viewer")
    assert (await viewer.submit("/customers/import", csv=CUSTOMERS)).status == 403
    assert "Check the file" not in (await viewer.get("/customers/import")).text


async def upload(who: Person, csv: str, *, encoding: str = "utf-8") -> Answer:
    """Send a file as a browser does."""
    head = '--b\r\ncontent-disposition: form-data; name="source_type"\r\n\r\nshop\r\n--b\r\n'
    head += 'content-disposition: form-data; name="file"; filename="k.csv"\r\ncontent-type: text/csv\r\n\r\n'
    body = head.encode() + csv.encode(encoding) + b"\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return await who.client.post("/customers/import/check", body=body, headers=headers)
