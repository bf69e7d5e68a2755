"""The inbox: whose messages are read, given away and deleted by whom.

Covers: web, seed.
"""

from __future__ import annotations

import csv
import io

from tests.rooms.site.conftest import Author, Clock, Counted, author, seeded
from tests.rooms.site.forms.conftest import fill, review, with_form
from tests.support.app import RunningApp

SCRIPT = "<script>alert(1)</script>"


async def test_messages_are_listed_read_exported_and_deleted(acme: Author, clock: Clock) -> None:
    assert "No messages yet" in (await acme.get("/messages")).text
    action = await with_form(acme)
    await fill(acme, action, form=await review(acme, action, clock, name=f"=1+1 {SCRIPT}", message=SCRIPT))
    (row,) = await acme.app.admin("select message_id from message")
    one = f"/messages/{row['message_id']}"
    for path in ("/messages", one):
        page = await acme.get(path)
        assert page.status == 200 and "=1+1" in page.text and SCRIPT not in page.text
    exported = await acme.get("/messages/export")
    lines = list(csv.DictReader(io.StringIO(exported.body.decode("utf-8-sig"))))
    assert [(line["sender_name"][:5], line["message_text"]) for line in lines] == [("'=1+1", SCRIPT)]
    assert (await acme.submit(f"{one}/delete")).status == 303
    assert (await acme.get(one)).status == (await acme.submit(f"{one}/delete")).status == 404


async def test_a_neighbour_finds_nothing_and_a_viewer_may_not(app: RunningApp) -> None:
    acme, tenant = await seeded(app)
    globex, _ = await seeded(app, "Globex Design", "globex")
    (row,) = await app.admin("select message_id from message where tenant_id = $1 limit 1", acme.tenant_id)
    one = f"/messages/{row['message_id']}"
    assert tenant.marker in (await acme.get("/messages")).text
    assert (await globex.get(one)).status == (await globex.submit(f"{one}/delete")).status == 404
    for path in ("/messages", f"/messages?before={row['message_id']}", "/messages/export"):
        answer = await globex.get(path)
        assert answer.status == 200 and tenant.marker not in answer.text
    viewer = await author(app, tenant_id=acme.tenant_id, role="viewer")
    assert {(await viewer.get(path)).status for path in ("/messages", one, "/messages/export")} == {403}
    assert (await acme.get(one)).status == 200


async def test_a_long_inbox_comes_in_parts_and_costs_no_query_a_row(app: RunningApp) -> None:
    acme, _ = await seeded(app)
    await app.admin(
        "insert into message select tenant_id, gen_random_uuid(), site_id, page_id, page_title, 'Nr ' || n, sender_email, '',"
        " 'Text', '', received_at - n * interval '1 day' from (select * from message limit 1) as m, generate_series(1, 40) as n"
    )
    counted = Counted()
    first = await counted.ask(acme, "GET /messages")
    (row,) = await app.admin(
        "select message_id from message order by received_at desc, message_id desc offset 24 limit 1"
    )
    assert f"before={row['message_id']}" in first.text
    second = await acme.get(f"/messages?before={row['message_id']}")
    assert "Nr 40" in second.text and "Nr 40" not in first.text
    await counted.ask(acme, "GET /messages/export")
    await counted.ask(acme, "GET /messages/{message_id}", message_id=row["message_id"])
    await counted.ask(acme, "POST /messages/{message_id}/delete", form={}, message_id=row["message_id"])
