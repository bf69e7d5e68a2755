"""A file of rows is read as spreadsheets write it, and refused with the line that is no row."""

from __future__ import annotations

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.exchange.sheet import ROWS_MAX, read_sheet

COLUMNS = ("source_id", "name", "city")


def read(text: str | bytes) -> list[tuple[int, dict[str, str]]]:
    data = text if isinstance(text, bytes) else text.encode()
    return [(row.number, row.cells) for row in read_sheet(data, columns=COLUMNS, needed=("name",))]


def test_comma_semicolon_and_tab_are_read_alike() -> None:
    expected = [(2, {"city": "Köln", "name": "a, b; c"}), (4, {"city": "", "name": "=1"})]
    for separator in ",;\t":
        lines = [["City ", "NAME"], ["Köln", '"a, b; c"'], ["", ""], ["", "'=1"]]
        text = "\r\n".join(separator.join(line) for line in lines)
        assert read("\ufeff" + text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name is missing"),
        ("city\nKiel", "name is missing"),
        ("name,name\na,b", "stands twice"),
        ("name\n", "no rows"),
        ("name,city\na,b,c", "Row 2 has 3 cells"),
        ('name\n"a', "is no CSV"),
        ("name\n" + "x" * 4001, "more than 4000"),
        ("name\n" + "x" * 140_000, "is no CSV"),
        (b"name\na\n\xff", "Line 3 is not UTF-8"),
        (b"PK\x03\x04\0", "null characters"),
        ("name\n" + "a\n" * (ROWS_MAX + 1), "At most 10000"),
    ],
)
def test_what_is_no_file_of_rows_is_refused_with_the_reason(text: str | bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(text)
    assert len(read("name\n" + "a\n" * ROWS_MAX)) == ROWS_MAX
