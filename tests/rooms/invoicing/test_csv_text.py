"""CSV that every reader reads the same and no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from shipworthy.rooms.invoicing.csv_text import csv_bytes, major, read_cell

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=4))
@example([["=1+1", "'=1+1"], ["+49 40", "@SUM(A1)"], ["-", "\t=1"], ['a"b', "a\r\nb"], [" a", "a "]])
def test_what_is_written_reads_back_and_begins_like_no_formula(rows: list[list[str]]) -> None:
    text = csv_bytes(rows).decode()
    assert text.endswith("\r\n")
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [[read_cell(cell) for cell in row] for row in read] == rows
    assert not [cell for row in read for cell in row if cell[:1] in tuple("=+-@\t\r")]


def test_numbers_and_days_are_written_plainly() -> None:
    amounts = [major(-1250, currency="EUR"), major(-5, currency="KWD"), major(7, currency="JPY")]
    assert csv_bytes([[*amounts, date(2026, 1, 31), None, Decimal("0.0000001")]]) == (
        b"-12.50,-0.005,7,2026-01-31,,0.0000001\r\n"
    )
