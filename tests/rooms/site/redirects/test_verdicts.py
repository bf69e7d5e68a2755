"""What becomes of redirects somebody wants: circles, chains and shadows are named before anything is written."""

from __future__ import annotations

import uuid

import pytest

from shipworthy.rooms.site.redirects.verdicts import Known, Verdict, Wanted, judge

SITE, OTHER, PAGE, DRAFT = (uuid.UUID(int=n) for n in range(1, 5))
KNOWN = Known(
    site_id=SITE,
    hosts={"acme.example": SITE, "shop.acme.example": OTHER},
    pages={
        (SITE, "/live"): (PAGE, "published"),
        (SITE, "/draft"): (DRAFT, "draft"),
        (OTHER, "/live"): (PAGE, "published"),
    },
    redirects={"/moved": (PAGE, None, 301), "/away": (None, "https://x.example/", 302)},
    page_ids=frozenset({PAGE}),
)


def one(from_path: str, to: str = "", status: int = 301, **more: uuid.UUID) -> Verdict:
    (verdict,) = judge([Wanted(from_path=from_path, to=to, status=status, **more)], KNOWN)
    return verdict


@pytest.mark.parametrize(
    ("from_path", "to", "status", "problem"),
    [
        ("/live", "/draft", 301, "redirect_shadowed"),
        ("/LIVE/", "https://x.example", 301, "redirect_shadowed"),
        ("/a", "/A/", 301, "redirect_loop"),
        ("/a", "http://acme.example:8080//a", 301, "redirect_loop"),
        ("/a", "HTTPS://ACME.EXAMPLE/a?x=1", 301, "redirect_loop"),
        ("/a", "/moved", 301, "redirect_chain"),
        ("/a", "https://acme.example/away", 301, "redirect_chain"),
        ("/a", "/nowhere", 301, "redirect_nowhere"),
        ("/a", "https://shop.acme.example/nowhere", 301, "redirect_nowhere"),
        ("/a", "", 301, "redirect_invalid"),
        ("/a", "/live", 410, "redirect_invalid"),
        ("/a", "/live", 303, "redirect_invalid"),
        ("", "/live", 301, "redirect_invalid"),
        ("/a?b=c", "/live", 301, "redirect_invalid"),
        ("/robots.txt", "/live", 301, "redirect_invalid"),
        ("/a\x00", "/live", 301, "redirect_invalid"),
        ("/a", "javascript:alert(1)", 301, "redirect_invalid"),
        ("/a", "//evil.example", 301, "redirect_nowhere"),
        ("/a", "https://", 301, "redirect_invalid"),
        ("/a", "https://user:secret@x.example/", 301, "redirect_invalid"),
        ("/a", "https://x.example:99999/", 301, "redirect_invalid"),
        ("/a", f"https://x.example/{'x' * 2_000}", 301, "redirect_invalid"),
    ],
)
def test_what_cannot_be_is_named(from_path: str, to: str, status: int, problem: str) -> None:
    verdict = one(from_path, to, status)
    assert (verdict.problem, bool(verdict.message), bool(verdict.field)) == (problem, True, True)


def test_a_page_is_led_to_by_its_id_and_another_website_by_its_whole_address() -> None:
    for to in ("/live", "/Live/", "https://acme.example/live", "http://acme.example:81/%6Cive#part"):
        assert (one("/a", to).to_page_id, one("/a", to).to_url) == (PAGE, None), to
    assert one("/a", "https://shop.acme.example/live").to_page_id == PAGE
    assert one("/a", "/draft").to_page_id == DRAFT
    assert one("/a", to_page_id=PAGE).to_page_id == PAGE
    assert one("/a", to_page_id=OTHER).problem == "redirect_invalid"
    assert one("/a", "https://X.example").to_url == "https://x.example/"
    assert one("/a", "https://münchen.example/straße?q=ä\r\nSet-Cookie: x").to_url == (
        "https://xn--mnchen-3ya.example/stra%C3%9Fe?q=%C3%A4Set-Cookie:%20x"
    )
    assert one("/a", status=410).is_good


def test_what_is_there_is_told_from_what_would_change() -> None:
    assert one("/new", "/live").outcome == "new"
    assert one("/moved", "/live").outcome == "same"
    assert one("/moved", "/live", 302).outcome == "replaces"
    assert one("https://acme.example/away/", "https://x.example/", 302).outcome == "same"


def test_rows_that_are_wanted_together_are_judged_together() -> None:
    rows = [
        ("/a", "/b"), ("/b", "/c"), ("/c", "/a"),  # a circle
        ("/d", "/e"), ("/e", "/live"),  # a chain and its end
        ("/f", "/live"), ("/F/", "/draft"),  # twice
        ("/g", "/draft"), ("/draft", "/live"),  # a draft that is to lead elsewhere itself
        ("/x", "/a"),  # into the circle
    ]  # fmt: skip
    verdicts = judge([Wanted(from_path=from_path, to=to) for from_path, to in rows], KNOWN)
    assert [verdict.problem.removeprefix("redirect_") for verdict in verdicts] == [
        "loop", "loop", "loop", "chain", "", "", "twice", "chain", "", "loop",
    ]  # fmt: skip
