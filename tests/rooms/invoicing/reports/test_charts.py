"""Bars stand where their values are, below the line where these are negative."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.invoicing.reports.charts import HEIGHT, bar_chart, share

AMOUNTS = st.integers(-(10**13), 10**13)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=12))
def test_every_bar_is_within_the_drawing_and_as_high_as_its_value(groups: list[tuple[int, int]]) -> None:
    chart = bar_chart(groups, series=("a", "b"))
    values = [value for group in groups for value in group]
    assert len(chart.bars) == len(values)
    zero = Decimal(chart.zero)
    for bar, value in zip(chart.bars, values, strict=True):
        y, height = Decimal(bar.y), Decimal(bar.height)
        assert y >= 0
        assert y + height <= HEIGHT + Decimal("0.02")
        edge = y if value < 0 else y + height  # the end of the bar that stands on the line
        assert abs(edge - zero) <= Decimal("0.02")
        assert 0 <= bar.x <= chart.width
    assert any(Decimal(bar.height) for bar in chart.bars) == any(values) or max(map(abs, values)) < 10**9


def test_a_share_is_of_a_hundred_and_nothing_where_there_is_nothing() -> None:
    assert (share(50, of=200), share(0, of=0), share(-5, of=10)) == ("25.00", "0", "0.00")
