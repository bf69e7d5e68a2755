"""CSV as RFC 4180 writes it, in UTF-8, that no spreadsheet takes for a formula.

A cell of text that begins like a formula gets an apostrophe in front (OWASP, CSV injection); numbers and days
are ours and stay as they are. `read_cell` takes the apostrophe off again, so what we wrote reads back the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from shipworthy.kernel.money.currencies import currency_of

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
_LIKE_A_FORMULA = re.compile(r"^'*[=+\-@\t\r\n|%]")
_QUOTED = re.compile(r'[",\r\n]|^\s|\s$')


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Return the rows; text is made harmless, numbers and days are written plainly, None is an empty cell."""
    return "".join(",".join(_cell(value) for value in row) + "\r\n" for row in rows).encode()


def major(amount_minor: int, *, currency: str) -> Decimal:
    """Return an amount in major units with all its decimals: 1250 of EUR is 12.50."""
    return Decimal(amount_minor).scaleb(-currency_of(currency).exponent)


def read_cell(text: str) -> str:
    """Return what a cell of ours said before it was made harmless."""
    return text[1:] if text.startswith("'") and _LIKE_A_FORMULA.match(text) else text


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (int, date)):
        return str(value)
    text = str(value)
    if _LIKE_A_FORMULA.match(text):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
