"""Bodies: JSON and forms become typed values, or every misfit is named. Covers: binding, router."""

from __future__ import annotations

import contextlib
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.http.binding import FORM, Body, NotUnderstood, parse_body, parse_query
from shipworthy.kernel.http.router import MethodNotAllowed, Router
from shipworthy.kernel.route import route


class Line(Body):
    label: Annotated[str, msgspec.Meta(min_length=1)]
    count: int


class Order(Body):
    name: str
    paid: bool = False
    lines: Annotated[list[Line], msgspec.Meta(max_length=3)] = []
    marks: list[Line] = []


class Filter(msgspec.Struct, kw_only=True):
    page: Annotated[int, msgspec.Meta(ge=1)] = 1


def test_a_form_with_rows_becomes_a_list_and_blank_rows_are_dropped() -> None:
    data = b"name=Ann&_idempotency_key=k&lines-0-label=a&lines-0-count=2&lines-7-label=b&lines-7-count=3&lines-8-label=&lines-8-count="
    assert parse_body(data, f"{FORM}; charset=utf-8", Order) == Order(
        name="Ann", lines=[Line(label="a", count=2), Line(label="b", count=3)]
    )


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"name": 1}', {"name"}),
        (b'{"name": "a", "lines": [{"label": "a"}]}', {"lines[0].count"}),
        (b'{"name": "a", "lines": 3}', {"lines"}),
        (b'{"name": "a", "paid": "yes", "x": 1}', {"paid", "x"}),
        (b"[]", {"body"}),
        (
            b'{"name": "a", "lines": [{"label":"a","count":1},{"label":"a","count":1},{"label":"a","count":1},{"label":"a","count":1}]}',
            {"lines"},
        ),
    ],
)
def test_each_misfit_is_named(body: bytes, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        parse_body(body, "application/json", Order)
    assert set(refused.value.fields) == fields


@given(
    st.binary(max_size=300),
    st.sampled_from(["application/json", FORM, "", "text/plain", "multipart/form-data"]),
)
def test_no_bytes_are_worse_than_a_refusal(data: bytes, media: str) -> None:
    with contextlib.suppress(Invalid, NotUnderstood):
        parse_body(data, media, Order)


def test_deep_nesting_is_a_refusal() -> None:
    with pytest.raises((Invalid, NotUnderstood)):
        parse_body(b"[" * 100_000, "application/json", Order)


def test_unknown_query_parameters_are_ignored_and_known_ones_checked() -> None:
    assert parse_query("page=2&utm_source=mail", Filter).page == 2
    with pytest.raises(Invalid):
        parse_query("page=0", Filter)


async def nothing(_ctx: object) -> None: ...


def test_routes_match_exactly_and_say_what_they_take() -> None:
    router = Router(
        [
            route("GET", "/a/{thing_id}", nothing),
            route("GET", "/a/new", nothing),
            route("POST", "/s/{slug}", nothing),
        ]
    )
    found, values = router.find("HEAD", "/a/0191f3a2-0000-7000-8000-000000000001")
    assert found.path == "/a/{thing_id}"
    assert str(values[0]) == "0191f3a2-0000-7000-8000-000000000001"
    assert router.find("GET", "/a/new")[0].path == "/a/new"
    for path in (
        "/a/1",
        "/a/0191F3A2-0000-7000-8000-000000000001",
        "/a//",
        "/s/a/b",
        "/s/" + "x" * 201,
        "/s/a\n",
    ):
        with pytest.raises(Missing):
            router.find("GET", path)
    with pytest.raises(MethodNotAllowed):
        router.find("GET", "/s/x")


def test_a_route_declared_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        Router([route("GET", "/a", nothing), route("GET", "/a", nothing)])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"name": 1}', {"name": "must be text"}),
        (
            b'{"name": "a", "lines": [{"label": "", "count": "x"}]}',
            {"lines[0].label": "must not be empty", "lines[0].count": "must be a whole number"},
        ),
        (b'{"name": "a", "paid": 3}', {"paid": "must be true or false"}),
        (b"{}", {"name": "is missing"}),
    ],
)
def test_a_misfit_is_said_in_words_for_people(body: bytes, said: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        parse_body(body, "application/json", Order)
    assert refused.value.fields == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"name": "a", "marks": [' + b"{}," * 300_000 + b"{}]}", None),
        (b'{"name": "a", ' + b", ".join(b'"x%d": 1' % n for n in range(80_000)) + b"}", None),
        (b'{"name": "a", "lines": [' + b"{}," * 20 + b"{}]}", {"lines": "may have at most 3 entries"}),
    ],
    ids=["misfits by the thousand", "unknown fields by the thousand", "more than a list takes"],
)
def test_a_megabyte_of_misfits_is_refused_by_its_first_ones(body: bytes, said: dict[str, str] | None) -> None:
    with pytest.raises(Invalid) as refused:
        parse_body(body, "application/json", Order)
    assert len(refused.value.fields) == 100 if said is None else refused.value.fields == said
