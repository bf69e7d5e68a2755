"""The fields of a form: every one has its label, and whatever is written stays text.

Covers: words.
"""

from __future__ import annotations

import pytest

from shipworthy.rooms.site.forms.fields import Filled, Shape, checked, form_html, is_email, review_html
from shipworthy.rooms.site.forms.words import WORDS
from tests.support.page import parse

SHAPE = Shape("/-/form/x/y", WORDS["en"], asks_phone=True, key="y")
SCRIPT = "\"'><script>alert(1)</script>"
GOOD = {"name": "Ada", "email": "ada@example.com", "phone": "", "message": "Hello.\r\nAda"}


def test_every_field_has_a_label_and_a_wrong_one_says_why() -> None:
    page = parse(form_html(SHAPE, checked({"email": "no"}, SHAPE)))
    labels = {element.attributes.get("for") for element in page.all("label")}
    fields = [e for tag in ("input", "textarea") for e in page.all(tag) if e.attributes["name"] != "website"]
    assert len(fields) == 4
    for element in fields:
        assert element.attributes["id"] in labels
        is_wrong = element.attributes["name"] != "phone"
        assert ("aria-invalid" in element.attributes) == is_wrong
        if is_wrong:
            why = next(
                e for e in page.all("span") if e.attributes["id"] == element.attributes["aria-describedby"]
            )
            assert why.text


def test_what_is_written_stays_text() -> None:
    values = dict.fromkeys(SHAPE.names, SCRIPT)
    for html in (form_html(SHAPE, Filled(values)), review_html(SHAPE, values, SCRIPT)):
        assert "<script" not in html
        assert SCRIPT in [e.attributes.get("value") for e in parse(html).all("input")]


def test_what_people_wrote_is_tidied_and_checked() -> None:
    filled = checked({**GOOD, "name": " Ada \u2028 L\x00 \n"}, SHAPE)
    assert (filled.wrong, filled.values["name"], filled.values["message"]) == ({}, "Ada L", "Hello.\nAda")
    wrong = checked({"name": "x" * 101, "email": "a@b", "message": " \n"}, SHAPE).wrong
    assert wrong == {
        "name": "This is too long.",
        "email": WORDS["en"]["no_email"],
        "message": "Please fill this in.",
    }


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("ada@example.com", True), ("a@b", False), ("a b@c.de", False), ("a@c.de\nBcc: x@y.de", False), ("a@c.de,x@y.de", False)],
)  # fmt: skip
def test_what_counts_as_an_address(text: str, is_one: bool) -> None:
    assert is_email(text) is is_one


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["de"].keys()
