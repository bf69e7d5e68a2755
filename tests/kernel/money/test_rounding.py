"""Rounding is half away from zero, exact, and out of reach of floats."""

from __future__ import annotations

import decimal
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.money.rounding import Rounding, exact_arithmetic, round_minor

# Fractions of small denominators meet a tie often; arbitrary ones nearly never do.
fractions = st.builds(Fraction, st.integers(-(10**20), 10**20), st.sampled_from([1, 2, 3, 4, 7, 20, 10**6]))


@pytest.mark.parametrize(
    ("exact", "expected"),
    [("0.5", 1), ("-0.5", -1), ("1.5", 2), ("2.5", 3), ("-2.5", -3), ("2.4999999", 2), ("-0.4", 0), ("7", 7)],
)
def test_a_tie_goes_away_from_zero(exact: str, expected: int) -> None:
    assert round_minor(Decimal(exact)) == expected
    assert round_minor(Fraction(exact)) == expected


@settings(deadline=None)
@given(fractions)
def test_the_result_is_the_nearest_whole_number_and_odd_in_sign(exact: Fraction) -> None:
    rounded = round_minor(exact)
    assert abs(rounded - exact) <= Fraction(1, 2)
    assert round_minor(-exact) == -rounded


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 7))
def test_every_mode_agrees_with_the_decimal_module(digits: int, decimals: int) -> None:
    exact = Decimal(digits).scaleb(-decimals)
    oracles: dict[Rounding, str] = {
        "half_up": ROUND_HALF_UP,
        "half_even": ROUND_HALF_EVEN,
        "down": ROUND_DOWN,
    }
    for mode, oracle in oracles.items():
        assert round_minor(exact, mode=mode) == int(exact.quantize(Decimal(1), rounding=oracle))


@pytest.mark.parametrize("exact", [0.5, 1.0, float("nan"), True, "0.5"])
def test_a_float_is_refused(exact: object) -> None:
    with pytest.raises(TypeError, match="Money is rounded from int, Fraction or Decimal"):
        round_minor(exact)  # type: ignore[arg-type]


def test_arithmetic_that_loses_a_digit_or_meets_a_float_raises() -> None:
    with exact_arithmetic():
        assert Decimal("999999999999.999999") * Decimal("999999999999.999999") > 0
        with pytest.raises(decimal.Inexact):
            Decimal(1) / Decimal(3)
        with pytest.raises(TypeError):
            Decimal(0.5)  # noqa: RUF032 - the mistake that is guarded against
        with pytest.raises(TypeError):
            assert Decimal("0.5") < 0.6
    assert Decimal(1) / Decimal(3) > 0, "the guard ends with the block"


@pytest.mark.parametrize(
    "planted",
    [
        "x = round(y)",
        "x = y.quantize(z)",
        "x = y.to_integral_value()",
        "import math\nx = math.floor(y)",
        "from math import ceil\nx = ceil(y)",
        "x = int(y / z)",
        "from decimal import ROUND_HALF_EVEN",
        "x = ctx(rounding=decimal.ROUND_DOWN)",
    ],
)
def test_the_house_notices_whoever_rounds_by_himself(planted: str) -> None:
    assert list(tidy().roundings(planted))
    assert not list(tidy().roundings("x = round_minor(y)\nz = int(x) // 2"))


def test_nobody_but_this_module_rounds_money() -> None:
    assert list(tidy().money_is_rounded_in_one_place()) == []


@cache
def tidy() -> Any:
    spec = spec_from_file_location("tidy", Path(__file__).parents[3] / "tools" / "tidy.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
