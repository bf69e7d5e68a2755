"""The pages of every import: choose a file, see row by row what would happen, say so. What is imported is declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.exchange.imports import SOURCE_TYPE_CHARS_MAX, Plan, Planned
from shipworthy.rooms.invoicing.exchange.sheet import BYTES_MAX, ROWS_MAX
from shipworthy.rooms.invoicing.permissions import may

ROWS_SHOWN = 200
BODY_BYTES_MAX = BYTES_MAX + 64 * 1024  # and what a form or JSON puts around the file

Csv = Annotated[str, Meta(max_length=BYTES_MAX)]
SourceType = Annotated[str, Meta(max_length=100)]


class ImportForm(Body):
    """The file itself, or its text, as the second step sends it."""

    csv: Csv = ""
    source_type: SourceType = "csv"
    file: bytes = b""
    file_name: Annotated[str, Meta(max_length=400)] = ""

    @property
    def data(self) -> bytes:
        return self.file or self.csv.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """What is imported. Texts are marked, and said in the reader's language."""

    path: str
    back: str
    section: str
    things: str
    title: str
    permission: str
    forbidden: str
    needs: str
    hint: str
    columns: Sequence[str]
    button: Callable[[int], str]
    detail: Callable[[Any], str] = lambda _content: ""


def choose_page(
    ctx: Ctx,
    importing: Importing,
    *,
    source_type: str = "csv",
    errors: dict[str, str] | None = None,
    **more: object,
) -> Page:
    """Return the page a file is chosen on."""
    data = {
        "importing": _told(importing),
        "source_type": source_type,
        "errors": errors or {},
        "rows_max": ROWS_MAX,
        "megabytes_max": BYTES_MAX // 1024 // 1024,
        "chars_max": SOURCE_TYPE_CHARS_MAX,
        "may_write": may(ctx, importing.permission),
        **more,
    }
    return Page("invoicing/import.html", data, title=_(importing.title), section=importing.section)


def plan_page(importing: Importing, plan: Plan[Any], form: ImportForm, **hidden_fields: str) -> Page:
    """Return the page that says what importing a file would do; `hidden_fields` go with it to the import."""
    planned = [*plan.wrong, *plan.new, *plan.known]
    rows = [
        {
            "row": each.row,
            "source_id": each.source_id,
            "name": each.name,
            "detail": importing.detail(each.content) if each.content is not None else "",
            "outcome": outcome(each),
            "errors": _said(each),
        }
        for each in planned[:ROWS_SHOWN]
    ]
    data = {
        "importing": _told(importing),
        "plan": plan,
        "button": importing.button(len(plan.new)),
        "fields": {"source_type": plan.source_type, **hidden_fields},
        "csv": form.data.decode("utf-8-sig"),
        "rows": rows,
        "hidden": max(0, len(planned) - ROWS_SHOWN),
    }
    return Page("invoicing/import_check.html", data, title=_("Check the import"), section=importing.section)


def outcome(planned: Planned[Any]) -> str:
    """Return what becomes of it: `new`, `known` or `wrong`."""
    return "wrong" if planned.errors else "known" if planned.is_known else "new"


def _said(planned: Planned[Any]) -> list[str]:
    """What is wrong, with the column, and with the row where it is another than the first."""
    said = []
    for (row, column), text in planned.errors.items():
        named = f"{column}: {text}"
        said.append(named if row == planned.row else _("Row {row}, {what}", row=row, what=named))
    return said


def _told(importing: Importing) -> dict[str, Any]:
    return {
        "path": importing.path,
        "back": importing.back,
        "things": _(importing.things),
        "forbidden": _(importing.forbidden),
        "needs": _(importing.needs),
        "hint": _(importing.hint),
        "columns": list(importing.columns),
    }
