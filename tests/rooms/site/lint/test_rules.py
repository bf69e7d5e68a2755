"""The rules of publishing: each finds what it is there for, and nothing on a page that is sound.

Covers: reading.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.lint.reading import read_pieces
from shipworthy.rooms.site.lint.rules import LEVELS, Remark, Subject, by_level, internal_paths, remarks

ORIGIN = "https://acme.example"
SOUND = (
    "<h2>What we do</h2><p>"
    + "word " * 60
    + '</p><a href="/contact">Write to us</a><img src="/a.png" alt="Us">'
)


def subject(html: str = SOUND, **changes: Any) -> Subject:
    facts: dict[str, Any] = {
        "path": "/offer",
        "title": "Spring offer",
        "site_title": "Acme",
        "description": "Cheap until May.",
        "in_menu": True,
        "has_own_top": False,
        "origin": ORIGIN,
        "there": {"/contact": True, "/draft": False},
    }
    return Subject(**{**facts, "reading": read_pieces([("b1", html)]), **changes})


def said(**changes: Any) -> dict[str, Remark]:
    return {remark.code: remark for remark in remarks(subject(**changes))}


def test_a_sound_page_needs_no_remark() -> None:
    assert remarks(subject()) == []


@pytest.mark.parametrize(
    ("changes", "level", "code"),
    [
        ({"title": " "}, "block", "title_missing"),
        ({"title": "x" * 80}, "warn", "title_long"),
        ({"description": ""}, "warn", "description_missing"),
        ({"description": "x" * 200}, "warn", "description_long"),
        ({"is_noindex": True}, "block", "noindex_in_menu"),
        ({"html": SOUND + "<h1>Again</h1>"}, "block", "h1_twice"),
        ({"html": "<h1>One</h1>" + SOUND + "<h1>Two</h1>", "has_own_top": True}, "block", "h1_twice"),
        ({"html": SOUND + "<h4>Deep</h4>"}, "warn", "heading_jump"),
        ({"html": SOUND + '<img src="/b.png">'}, "block", "alt_undecided"),
        ({"html": SOUND + '<img src="/b.png" alt=" ">'}, "block", "alt_undecided"),
        ({"html": SOUND + '<a href="/nothing">x</a>'}, "block", "link_broken"),
        ({"html": SOUND + f'<a href="{ORIGIN}/nothing?a=b#c">x</a>'}, "block", "link_broken"),
        ({"html": SOUND + '<a href="/draft">x</a>'}, "warn", "link_to_draft"),
        ({"html": SOUND + '<a href="contact">x</a>'}, "block", "link_unclear"),
        ({"html": SOUND + '<a href="/contact"><em> </em></a>'}, "warn", "link_without_text"),
        ({"html": "<p>Few words.</p>"}, "warn", "thin"),
        ({"html": "<p>" + "word " * 301 + "</p>"}, "info", "no_headings"),
    ],
)
def test_each_rule_finds_what_it_is_there_for(changes: dict[str, Any], level: str, code: str) -> None:
    found = said(**changes)
    assert list(found) == [code]
    assert found[code].level == level


@pytest.mark.parametrize(
    "html",
    [
        '<a href="/offer">Here</a>',  # itself, a draft still
        '<a href="/CONTACT/">x</a>',
        '<a href="https://elsewhere.example/x">x</a>',
        '<a href="//elsewhere.example/x">x</a>',
        '<a href="mailto:a@b.example">x</a>',
        '<a href="#part">x</a>',
        '<a href="/sitemap.xml">x</a>',
        '<a href="/_a/0123/catalogue.pdf">x</a>',
        '<a href="/contact"><img src="/a.png" alt="Write to us"></a>',
        '<img src="/line.png" alt="" role="presentation">',
        "<h3>Deeper</h3><h2>And back</h2>",
    ],
)
def test_what_is_in_order_is_let_pass(html: str) -> None:
    assert remarks(subject(SOUND + html)) == []


def test_a_remark_names_its_block_and_the_gravest_come_first() -> None:
    found = remarks(subject('<a href="/nothing">x</a>', description="", title="x" * 80))
    assert [remark.level for remark in found] == ["block", "warn", "warn", "warn"]
    assert (found[0].block_id, found[1].field) == ("b1", "title")
    assert {level: len(those) for level, those in by_level(found).items()} == {
        "block": 1,
        "warn": 3,
        "info": 0,
    }


_HTML = st.lists(
    st.sampled_from(["<h1>", "<h2>a</h2>", "<h4>b</h4>", "<img src=x>", "<img src=x alt=y>", "</p>", "word ",
                     "<a href='/contact'>", "</a>", "<a href='/no'>c</a>", "<a href='http://[bad'>d</a>", "&amp;", "<!--"]),
    max_size=12,
).map("".join)  # fmt: skip


@given(html=_HTML, title=st.text(max_size=90), has_own_top=st.booleans(), is_noindex=st.booleans())
def test_whatever_is_read_rules_answer_alike_and_publishing_never_gets_easier_by_adding_a_fault(
    html: str, title: str, has_own_top: bool, is_noindex: bool
) -> None:
    facts = {"title": title, "has_own_top": has_own_top, "is_noindex": is_noindex}
    found = remarks(subject(html, **facts))
    assert found == remarks(subject(html, **facts))
    assert [LEVELS.index(remark.level) for remark in found] == sorted(LEVELS.index(r.level) for r in found)
    reading = read_pieces([("b1", html), ("b2", "<img src=x>")])
    worse = remarks(subject(html, **facts, reading=reading))
    stops = [remark for remark in found if remark.level == "block"]
    assert len([remark for remark in worse if remark.level == "block"]) == len(stops) + 1
    assert all(path.startswith("/") for path in internal_paths(subject(html)))
