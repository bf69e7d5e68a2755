"""Lists of redirects as files: from, to and status, one a line. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.addresses import encoded
from shipworthy.rooms.site.redirects.verdicts import Wanted
from shipworthy.rooms.site.render import origin

ROWS_MAX = 5_000
LIST_CHARS_MAX = 600_000
_COLUMNS = ("from", "to", "status", "origin", "hits", "last_hit_at")
_STATUS_DEFAULT, _STATUS_UNREADABLE = 301, 0


def read_list(text: str) -> list[Wanted]:
    """Read a list: from, to and status (301 where it is empty), split by comma, semicolon or tab. A first
    line of names is left out, and so is what stands behind the third column.

    Errors:  Invalid `site.redirects_invalid` for an empty or too long list, and for a line that is cut.
    """
    lines = text.removeprefix("\ufeff").strip("\r\n")
    first = lines.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    wanted: list[Wanted] = []
    try:
        reader = csv.reader(io.StringIO(lines), delimiter=delimiter, strict=True)
        for row in reader:
            cells = [cell.strip() for cell in row] + ["", "", ""]
            if any(cells) and not (not wanted and cells[0].lower() == _COLUMNS[0]):
                status = _status(cells[2])
                wanted.append(Wanted(from_path=cells[0], to=cells[1], status=status, line=reader.line_num))
    except csv.Error as broken:
        raise _invalid(
            _("Line {number} cannot be read: {why}.", number=reader.line_num, why=broken)
        ) from None
    if not wanted:
        raise _invalid(_("The list is empty. Write one redirect a line: /old, /new, 301."))
    if len(wanted) > ROWS_MAX:
        raise _invalid(
            _(
                "The list has {has} lines; at most {count} can be imported at once.",
                has=len(wanted),
                count=ROWS_MAX,
            )
        )
    return wanted


def write_list(rows: Iterable[Mapping[str, Any]], *, host: str, settings: Settings) -> bytes:
    """Return the redirects of the site at `host` as a file that can be imported again."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        last = row["last_hit_at"].isoformat(timespec="seconds") if row["last_hit_at"] else ""
        to = leads_text(row, host=host, settings=settings)
        writer.writerow([row["from_path"], to, row["status"], row["origin"], row["hits"], last])
    return out.getvalue().encode()


def leads_text(row: Mapping[str, Any], *, host: str, settings: Settings) -> str:
    """Return where a redirect leads, as people write it: a path of this website, or a whole address."""
    if row["to_url"] is not None or row["target_path"] is None:
        return row["to_url"] or ""
    if row["target_host"] in (host, None):
        return str(row["target_path"])
    return origin(settings, row["target_host"]) + encoded(row["target_path"])


def _status(text: str) -> int:
    if not text:
        return _STATUS_DEFAULT
    return int(text) if text.isascii() and text.isdigit() and len(text) == 3 else _STATUS_UNREADABLE


def _invalid(message: str) -> Invalid:
    return Invalid("site.redirects_invalid", message, fields={"csv": message})
