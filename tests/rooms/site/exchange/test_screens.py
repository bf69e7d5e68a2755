"""The screens of what comes and goes: every step by form, every refusal on the page, every statement counted."""

from __future__ import annotations

import re

from shipworthy.rooms.site.exchange.screens import FILE_EXAMPLE
from tests.rooms.site.conftest import Author, Counted
from tests.rooms.site.exchange.conftest import items, list_pages, send, state, work, zipped
from tests.rooms.site.exchange.test_wordpress import entry, export
from tests.support.multipart import CONTENT_TYPE, multipart


async def test_a_website_is_sent_looked_at_taken_in_and_taken_out_by_form(acme: Author) -> None:
    page = await acme.get("/imports")
    assert page.status == 200 and "Look through it" in page.text
    body = multipart({}, {"file": ("blog.zip", zipped({"a.md": "# First\n\nWords.", "b.bin": "x"}))})
    sent = await acme.client.request("POST", "/imports", body=body, headers={"content-type": CONTENT_TYPE})
    assert sent.status == 303, sent.text
    where = sent.header("location")
    assert 'hx-get="/imports/' in (await acme.get(where)).text and "hx-refresh" not in dict(sent.headers)
    await work(acme.app)
    look = (await acme.get(where)).text
    assert (
        "Take in 1 thing" in look
        and "Nothing has been changed yet" in look
        and "First" in look
        and "b.bin" in look
    )
    assert "First" not in (await acme.get(f"{where}?outcome=skipped")).text.partition("<table")[2]
    still = await acme.get(f"{where}/progress")
    assert still.status == 200 and still.header("hx-refresh") == "true"
    assert (await acme.submit(f"{where}/take")).status == 303
    await work(acme.app)
    assert "Take it out again" in (await acme.get(where)).text and len(await list_pages(acme)) == 1
    assert (await acme.submit(f"{where}/undo")).status == 303
    await work(acme.app)
    assert await list_pages(acme) == []
    assert (await acme.submit(f"{where}/delete")).header("location") == "/imports"
    assert (await acme.get(where)).status == 404


async def test_what_is_no_file_is_said_on_the_page(acme: Author) -> None:
    body = multipart({}, {"file": ("", b"")})
    refused = await acme.client.request("POST", "/imports", body=body, headers={"content-type": CONTENT_TYPE})
    assert refused.status == 422 and "Choose a file" in refused.text
    sent = await send(acme, b"PK\x03\x04 broken", "broken.zip")
    assert "The zip is damaged" in (await acme.get(f"/imports/{sent['import_id']}")).text


async def test_a_person_who_reads_german_is_told_in_german(acme: Author) -> None:
    sent = await send(acme, export(entry(1, "Geheim", post_password="x"), entry(2, kind="attachment")))
    acme.client.cookies["language"] = "de"
    text = (await acme.get(f"/imports/{sent['import_id']}")).text
    assert "Sie hatte ein Passwort" in text and "Rein und raus" in text
    assert not re.search(r"Left out|Comes in|Thing by thing", text)


async def test_every_route_runs_no_more_statements_than_it_declares(acme: Author) -> None:
    counted = Counted()
    await counted.ask(acme, "POST /api/imports", body=FILE_EXAMPLE)
    await work(acme.app)
    other = {**FILE_EXAMPLE, "file": FILE_EXAMPLE["file"]}
    again = await counted.ask(acme, "POST /api/imports", body=other)
    first = again.json["import_id"]
    await counted.ask(acme, "GET /api/imports")
    await counted.ask(acme, "GET /imports")
    for route in ("GET /api/imports/{import_id}", "GET /api/imports/{import_id}/items", "GET /imports/{import_id}",
                  "GET /imports/{import_id}/progress", "POST /api/imports/{import_id}/take"):  # fmt: skip
        await counted.ask(acme, route, import_id=first)
    await work(acme.app)
    await counted.ask(acme, "POST /api/imports/{import_id}/undo", import_id=first)
    await work(acme.app)
    second = (await send(acme, zipped({"z.md": "# Z"})))["import_id"]
    await counted.ask(acme, "POST /imports/{import_id}/take", form={}, import_id=second)
    await work(acme.app)
    await counted.ask(acme, "POST /imports/{import_id}/undo", form={}, import_id=second)
    await work(acme.app)
    await counted.ask(acme, "POST /imports/{import_id}/delete", form={}, import_id=second)
    await counted.ask(acme, "DELETE /api/imports/{import_id}", import_id=first)
    for route in ("POST /api/site/export", "GET /api/site/export", "GET /site/export/progress"):
        await counted.ask(acme, route)
    await counted.ask(acme, "POST /site/export", form={})
    assert len(counted.seen) == 17


async def test_a_list_goes_on_where_it_ended(acme: Author) -> None:
    sent = await send(acme, zipped({f"{n:03}.md": f"# Page {n}" for n in range(120)}))
    found = await items(acme, sent["import_id"])
    assert [item["item"] for item in found] == list(range(120))
    assert (await state(acme, sent["import_id"]))["total"] == 120
    assert (await acme.get(f"/api/imports/{sent['import_id']}/items?cursor=no")).status == 422
