"""The one scrubber: what it takes out, what it must leave, and that no text can keep it busy."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.telemetry.scrub import Scrubber

SCRUBBER = Scrubber(personal=("email", "customer.iban"), key=b"of tests")


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("sent to ann.o'hara+x@mail.example.org today", "hara+x@"),
        ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("Basic dXNlcjpwYXNzd29yZA== was refused", "dXNlcjpwYXNz"),
        ("got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJ"),
        ("GET /reset?token=s3cr3tvalue&next=/", "s3cr3tvalue"),
        ("card 4111111111111111 declined", "4111111111111111"),
        ("card 5500-0055-5555-5559 declined", "5559"),
        ("pay to DE89 3704 0044 0532 0130 00", "3704"),
        ("pay to GB82WEST12345698765432", "WEST1234"),
    ],
)
def test_what_a_pattern_gives_away_is_taken_out(text: str, gone: str) -> None:
    told = SCRUBBER.text(text)
    assert gone not in told
    assert "…" in told


@pytest.mark.parametrize(
    "text",
    [
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 took 12 ms",
        "job of 0198a7f2-4111-7111-9111-111111111111",
        "at 1764300000000000 µs",
        "invoice RE-2026-00042 over 1999.00 EUR",
        "GET /invoices?status=open&after=2026-01-01",
        "4111111111111112 is no card: its check digit is wrong",
        "DE89370400440532013001 is no account: its check digits are wrong",
    ],
)
def test_ids_times_and_numbers_stay(text: str) -> None:
    assert SCRUBBER.text(text) == text


@given(st.uuids(), st.integers(10**12, 2 * 10**15))
def test_an_id_and_a_time_are_never_taken_for_a_card(made: uuid.UUID, micros: int) -> None:
    text = f"{made} {made.hex} {micros} {made.hex[:16]}"
    assert SCRUBBER.text(text) == text


def test_a_field_is_judged_by_its_name_first() -> None:
    assert SCRUBBER.field("password", "x") is None
    assert SCRUBBER.field("IBAN", "x") == SCRUBBER.field("iban", "X ")
    assert re.fullmatch("~[0-9a-f]{12}", SCRUBBER.field("email", "ann@example.org"))
    assert Scrubber(personal=("email",), key=b"another").field("email", "a") != SCRUBBER.field("email", "a")
    assert SCRUBBER.field("monkey", 3) == 3
    deep = {"a": [{"email": "x@y.org", "cookie": "c", "n": 1, "b": b"12"}]}
    told = SCRUBBER.field("facts", deep)["a"][0]
    assert set(told) == {"email", "n", "b"}
    assert told["b"] == "2 bytes"


def test_what_contains_itself_ends() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert "…" in str(SCRUBBER.value(endless))


@given(st.text(max_size=30_000))
def test_scrubbing_is_bounded(text: str) -> None:
    assert len(SCRUBBER.text("a" * 30_000 + text)) <= 8_000


@pytest.mark.parametrize(
    "unit", ["a", "a@", "a.", "@a.", "1 ", "4-", "eyJ", "earer a", "?token=", "DE12 ", "&a="]
)
def test_no_text_makes_a_pattern_walk_back_and_forth(unit: str) -> None:
    """Each of these made an unbounded pattern take seconds; a pattern that did would not end in this test's time."""
    for _ in range(20):
        SCRUBBER.text((unit * 8_000) + "@")
