"""What every import has in common: a plan that says what would happen, row by row, and that is then done, all or nothing.

One reading decides both the dry run and the import. A row is named by where it comes from and the id it has there:
what was read before is not read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, _n

SOURCE_ID_CHARS_MAX = 200
SOURCE_TYPE_CHARS_MAX = 40
_ERRORS_TOLD = 100

Place = tuple[int, str]  # the row as a spreadsheet counts it, and the column
Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Generic[Content]):
    """What becomes of one thing: it is new (none of the others), was read before, or is wrong somewhere.

    `row` is where it begins; `content` is there unless something is wrong.
    """

    row: int
    source_id: str
    name: str
    is_known: bool
    errors: Mapping[Place, str]
    content: Content | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[Content]):
    """What importing a file would do now. Nothing is done where anything is wrong."""

    source_type: str
    wrong: Sequence[Planned[Content]]
    new: Sequence[Planned[Content]]
    known: Sequence[Planned[Content]]

    @property
    def rows(self) -> list[Planned[Content]]:
        return sorted((*self.wrong, *self.new, *self.known), key=lambda planned: planned.row)

    @property
    def wrong_rows(self) -> int:
        """How many rows of the file have to be mended."""
        return len({row for planned in self.wrong for row, _column in planned.errors})

    @property
    def contents(self) -> dict[str, Content]:
        """What is new, by its id in the source."""
        return {planned.source_id: planned.content for planned in self.new if planned.content is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many an import made, and how many were here already."""

    created: int
    known: int


def plan_of(planned: Iterable[Planned[Content]], *, source_type: str) -> Plan[Content]:
    """Return the plan of what was planned for each."""
    rows = list(planned)
    return Plan(
        source_type=source_type,
        wrong=[row for row in rows if row.errors],
        new=[row for row in rows if not row.errors and not row.is_known],
        known=[row for row in rows if not row.errors and row.is_known],
    )


def require_right(plan: Plan[Content]) -> None:
    """Raise where anything of a plan is wrong.

    Errors:  Invalid `invoicing.rows_wrong`, naming row and column of each error (the first hundred).
    """
    errors = [(place, said) for planned in plan.wrong for place, said in planned.errors.items()]
    if not errors:
        return
    raise Invalid(
        "invoicing.rows_wrong",
        _n(
            "{count} row of the file needs another value. Nothing was imported.",
            "{count} rows of the file need another value. Nothing was imported.",
            plan.wrong_rows,
        ),
        fields={f"rows[{row}].{column}": said for (row, column), said in errors[:_ERRORS_TOLD]},
    )


def read_source_type(text: str) -> str:
    """Return where a file is from. Errors: Invalid `invoicing.sheet_invalid`."""
    text = text.strip() or "csv"
    if len(text) > SOURCE_TYPE_CHARS_MAX or not text.isprintable():
        said = _("At most {chars_max} characters, on one line.", chars_max=SOURCE_TYPE_CHARS_MAX)
        raise Invalid("invoicing.sheet_invalid", said, fields={"source_type": said})
    return text


def wrong_source_id(source_id: str) -> str:
    """Return what is wrong with the id of a row; nothing where it will do."""
    if not source_id:
        return _("Every row needs an id of its own: with it, a file read twice counts once.")
    if len(source_id) > SOURCE_ID_CHARS_MAX or not source_id.isprintable():
        return _("At most {chars_max} characters, on one line.", chars_max=SOURCE_ID_CHARS_MAX)
    return ""
