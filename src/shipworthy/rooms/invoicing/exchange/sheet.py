"""A file of rows, read: which columns it has, what stands in each row, and what is no file of rows at all."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import NoReturn

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.csv_text import read_cell

ROWS_MAX = 10_000
BYTES_MAX = 4 * 1024 * 1024
_CELL_CHARS_MAX = 4000
_BYTE_ORDER_MARK = "\ufeff"
_SEPARATORS = ",;\t"  # comma, what German spreadsheets write, and what one copies out of one


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row and its number as a spreadsheet shows it: the header is row 1."""

    number: int
    cells: dict[str, str]

    def cell(self, column: str) -> str:
        return self.cells.get(column, "")


def read_sheet(data: bytes, *, columns: tuple[str, ...], needed: tuple[str, ...]) -> list[SheetRow]:
    """Return the rows of a file in UTF-8 whose first line names its columns; blank rows are left out.

    Columns may come in any order; those we do not know are left out.

    Errors:  Invalid `invoicing.sheet_invalid`: what is wrong with the file as a whole.
    """
    try:
        text = data.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as broken:
        line = data[: broken.start].count(b"\n") + 1
        _refuse(_("Line {line} is not UTF-8. Save the file as CSV in UTF-8.", line=line))
    if "\0" in text:
        _refuse(_("The file holds null characters, so it is no CSV."))
    first_line = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[SheetRow] = []
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_header(names, columns=columns, needed=needed)
        for number, cells in enumerate(reader, 2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == ROWS_MAX:
                _refuse(_("At most {rows_max} rows can be read at once. Split the file.", rows_max=ROWS_MAX))
            if len(cells) > len(names):
                _refuse(
                    _(
                        "Row {row} has {cells} cells, and there are {columns} columns.",
                        row=number,
                        cells=len(cells),
                        columns=len(names),
                    )
                )
            read = {name: read_cell(cell).strip() for name, cell in zip(names, cells, strict=False)}
            if any(len(cell) > _CELL_CHARS_MAX for cell in read.values()):
                _refuse(
                    _(
                        "Row {row} has a cell of more than {chars_max} characters.",
                        row=number,
                        chars_max=_CELL_CHARS_MAX,
                    )
                )
            rows.append(SheetRow(number, read))
    except csv.Error as broken:
        _refuse(_("Line {line} is no CSV: {what}.", line=reader.line_num, what=broken))
    if not rows:
        _refuse(_("The file has no rows below its header."))
    return rows


def _check_header(names: list[str], *, columns: tuple[str, ...], needed: tuple[str, ...]) -> None:
    known = [name for name in names if name in columns]
    for name in dict.fromkeys(known):
        if known.count(name) > 1:
            _refuse(_("The column {name} stands twice in the first line.", name=name))
    missing = [name for name in needed if name not in known]
    if missing:
        _refuse(_("The first line must name the columns; {missing} is missing.", missing=", ".join(missing)))


def _refuse(said: str) -> NoReturn:
    raise Invalid("invoicing.sheet_invalid", said, fields={"file": said})
