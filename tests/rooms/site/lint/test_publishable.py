"""What is broken stops a publish, says where, and changes nothing; what is only unwise does not."""

from __future__ import annotations

from tests.rooms.site.conftest import Author

BROKEN = "See [our prices](/prices).\n\n![](/team.png)"


async def test_a_broken_page_is_not_published_and_says_where_it_is_broken(acme: Author) -> None:
    text = {"type": "text", "data": {"body": "Hello."}}
    page = await acme.write("Offer", path="/offer", blocks=[text, {"type": "text", "data": {"body": BROKEN}}])
    refused = await acme.send("POST", f"/api/pages/{page['page_id']}/publish")
    assert (refused.status, refused.json["code"]) == (409, "site.publish_blocked")
    assert list(refused.json["fields"]) == ["blocks[1]"]
    assert "/prices" in refused.json["fields"]["blocks[1]"]
    assert (await acme.visitor.ask("/offer")).status == 404
    await acme.write("Prices", path="/prices")
    mended = await acme.edit(
        page, body="", blocks=[text, {"type": "text", "data": {"body": BROKEN.replace("![]", "![Us]")}}]
    )
    await acme.publish(mended)  # a link to a draft, no description, few words: unwise, not broken
    assert "Hello." in await acme.visitor.text("/offer")


async def test_what_was_published_stays_when_its_next_version_is_broken(acme: Author) -> None:
    page = await acme.show("Offer", "/offer", body="Sound.")
    broken = await acme.edit(page, body=BROKEN)
    assert (await acme.send("POST", f"/api/pages/{broken['page_id']}/publish")).status == 409
    assert "Sound." in await acme.visitor.text("/offer")
