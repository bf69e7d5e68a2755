"""Addresses have one form, and it is reached in one step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.addresses import (
    canonical_path,
    encoded,
    path_for_title,
    requested_path,
    wanted_path,
)

PATHS = st.text(st.sampled_from("aAbÄäİßẞΣςé\u0301/._-~ %ﬁⅨ"), max_size=40)


@given(PATHS)
def test_the_canonical_form_is_reached_in_one_step(path: str) -> None:
    once = canonical_path(path)
    assert canonical_path(once) == once


@given(PATHS)
def test_a_canonical_path_has_no_empty_or_dot_segment(path: str) -> None:
    segments = canonical_path(path)[1:].split("/")
    assert segments == [""] or not {"", ".", ".."} & set(segments)


@given(PATHS)
def test_what_may_be_an_address_survives_its_way_through_a_request(path: str) -> None:
    try:
        wanted = wanted_path(path)
    except Invalid:
        return
    assert requested_path(encoded(wanted).encode()) == wanted


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/", "/"),
        (b"/About/", "/about"),
        (b"//about", "/about"),
        (b"/a/./b/../c", "/a/c"),
        (b"/../../etc", "/etc"),
        (b"/%41bout", "/about"),
        (b"/a%2Fb", "/a/b"),
        (b"/caf%C3%A9", "/caf\u00e9"),
        (b"/cafe%CC%81", "/caf\u00e9"),
    ],
)
def test_every_way_of_writing_an_address_means_its_canonical_form(raw: bytes, path: str) -> None:
    assert requested_path(raw) == path


@pytest.mark.parametrize(
    "raw", [b"/%ff", b"/a%00b", b"/a%0ab", b"/a%3Fb", b"/a%23b", b"/" + b"a" * 301, b"/<b>"]
)
def test_what_no_page_can_have_is_known_without_asking_the_database(raw: bytes) -> None:
    assert requested_path(raw) is None


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("About us", "/about-us"),
        (" /Team/ ", "/team"),
        ("", "/"),
        ("/", "/"),
        ("über uns", "/über-uns"),
        ("सेवाएँ", "/सेवाएँ"),
    ],
)
def test_a_person_may_type_an_address_as_they_like(typed: str, path: str) -> None:
    assert wanted_path(typed) == path


@pytest.mark.parametrize("typed", ["a?b", "a#b", "a\\b", "<b>", "a%20b", "a\x00b", "x" * 300, "a\u202eb"])
def test_an_address_that_cannot_be_is_refused_by_field(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        wanted_path(typed)
    assert refused.value.code == "site.path_invalid"
    assert "path" in refused.value.fields


@pytest.mark.parametrize("typed", ["robots.txt", "/Sitemap.xml", "favicon.ico", "/.well-known/x"])
def test_addresses_the_site_answers_itself_are_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="belongs to the website itself"):
        wanted_path(typed)


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("Spring offer!", "/spring-offer"),
        ("Größe & Maß", "/grosse-mass"),
        ("Où ?", "/ou"),
        ("!!!", "/page"),
        ("robots.txt", "/robots-txt"),
        ("w" * 200, "/" + "w" * 80),
        ("Новости", "/новости"),
    ],
)
def test_an_address_made_from_a_title_can_be_read_aloud(title: str, path: str) -> None:
    assert path_for_title(title) == path
