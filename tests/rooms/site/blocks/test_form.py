"""A form in a page: its fields survive the cleaning, and what its author writes stays text."""

from __future__ import annotations

import uuid

from shipworthy.rooms.site.blocks.form import Form
from shipworthy.rooms.site.blocks.written import written
from tests.support.page import parse


def test_a_form_is_whole_after_cleaning_and_its_heading_is_text() -> None:
    page_id = uuid.uuid4()
    html = written(page_id, "Contact", [("b", Form(heading="<b>Write</b>", asks_phone=True))]).body
    page = parse(html)
    form = page.one("form")
    assert (form.attributes["method"], form.attributes["action"]) == ("post", f"/-/form/{page_id}/b")
    assert [e.attributes["name"] for e in page.all("input")] == ["name", "email", "phone", "website"]
    assert {
        e.attributes["id"] for e in [*page.all("input"), *page.all("textarea")] if "id" in e.attributes
    } == {e.attributes["for"] for e in page.all("label") if "for" in e.attributes}
    assert page.one("h2").text == "<b>Write</b>"
