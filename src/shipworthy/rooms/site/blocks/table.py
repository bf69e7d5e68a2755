"""A table, written as people paste it: a line a row, cells between vertical bars or tabs."""

from __future__ import annotations

from html import escape

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, LongText, Place

_HINT = mark("A line for each row, | between cells. The first line holds the headings.")
_CELLS_MAX = 20


class Table(Block):
    type, label, symbol = "table", mark("Table"), "files"
    fields = (
        Field("caption", mark("What it shows")),
        Field("rows", mark("Rows"), kind="text", hint=_HINT),
    )

    caption: Line = ""
    rows: LongText = ""

    def html(self, place: Place) -> str:
        lines = [_cells(line) for line in self.rows.splitlines() if line.strip(" |\t")]
        if not lines:
            return ""
        width = min(max(map(len, lines)), _CELLS_MAX)
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in _filled(lines[0], width))
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _filled(line, width))}</tr>"
            for line in lines[1:]
        )
        label = escape(self.caption or "Table")
        return (
            f'<div class="scroll" role="group" tabindex="0" aria-label="{label}"><table>{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _cells(line: str) -> list[str]:
    text = line.strip().removeprefix("|").removesuffix("|") if "|" in line else line
    return [cell.strip() for cell in text.split("|" if "|" in line else "\t")]


def _filled(cells: list[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))][:width]
