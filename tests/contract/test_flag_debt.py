"""A flag without an owner, without a day or past its day is owed for; one in order is not."""

from __future__ import annotations

from datetime import date

import pytest

from shipworthy.contract.flag_debt import flag_debts
from shipworthy.contract.manifest import Flag

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (Flag(name="a", owner=" ", expires="2027-01-01"), "no owner"),
        (Flag(name="a", owner="x"), "no day"),
        (Flag(name="a", owner="x", expires="soon"), "no day"),
        (Flag(name="a", owner="x", expires="2026-11-27"), "1 day ago"),
    ],
)
def test_each_kind_of_debt_is_told(flag: Flag, words: str) -> None:
    (debt,) = flag_debts([flag], today=TODAY)
    assert words in debt.why
    assert debt.fix


def test_a_flag_in_order_owes_nothing_until_its_day_has_passed() -> None:
    flag = Flag(name="a", owner="x", expires="2026-11-28")
    assert flag_debts([flag], today=TODAY) == []
    assert flag_debts([flag], today=date(2026, 11, 29)) != []
