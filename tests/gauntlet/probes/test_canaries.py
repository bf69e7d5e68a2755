"""Canaries: told apart by kind and route, found in any disguise a log gives them, shown masked."""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.probes.canaries import KINDS, Canaries, Sighting

CANARIES = Canaries("12345678")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_again_with_its_route_and_masked(kind: str) -> None:
    value = CANARIES.value(kind, 42)
    for text in (f"before {value} after", f'{{"x": "{value.upper()}"}}', f"/path?x={value}&y=1"):
        assert list(CANARIES.sightings(text)) == [Sighting(kind, 42)]
        assert "12345678" not in CANARIES.mask(text)
        assert f"<{kind}>" in CANARIES.mask(text)


def test_another_runs_canaries_are_not_ours() -> None:
    assert list(CANARIES.sightings(Canaries("87654321").value("password", 1))) == []
    assert list(CANARIES.sightings("cnry12345678zz001 4000 0000 0000 0000")) == []


def test_a_card_number_passes_the_check_every_form_makes_and_is_found_in_groups_of_four() -> None:
    number = CANARIES.value("card number", 7)
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    assert len(number) == 16
    assert (sum(digits[0::2]) + sum(doubled)) % 10 == 0
    grouped = " ".join(number[n : n + 4] for n in range(0, 16, 4))
    assert list(CANARIES.sightings(grouped)) == [Sighting("card number", 7)]


def test_a_body_is_filled_by_what_its_fields_are_called_and_keeps_its_shape() -> None:
    body = {
        "email": "a@b.c",
        "password": "x",
        "lines": [{"description": "d", "quantity": 2}],
        "country": "DE",
    }
    filled = CANARIES.likely(body, 3)
    assert filled["email"] == CANARIES.value("e-mail", 3)
    assert filled["password"] == CANARIES.value("password", 3)
    assert filled["lines"] == [{"description": CANARIES.value("name", 3), "quantity": 2}]
    assert filled["country"] == "DE"


def test_a_body_that_will_be_refused_holds_fields_nobody_declared() -> None:
    body = CANARIES.unlikely({"amount": 3}, 3)
    assert {"amount", "password", "token", "card", "email"} <= set(body)
    assert isinstance(body["amount"], str)
    assert CANARIES.unlikely(None, 3)["password"] == CANARIES.value("password", 3)
