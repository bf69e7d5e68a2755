"""HTTP for whoever looks into the trail: what happened, newest first, and files of it. Nothing here changes the trail."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shipworthy.kernel.audit.export import first_id_of
from shipworthy.kernel.audit.exports import KEPT_S, ask_export, export_link
from shipworthy.kernel.audit.personal import personal_of
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, day_text
from shipworthy.kernel.room import NavItem
from shipworthy.kernel.route import Route, route

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

PERMISSIONS = {
    "owner": frozenset({"audit.read", "audit.export"}),
    "auditor": frozenset({"audit.read", "audit.export"}),
}
NAV = (NavItem(href="/audit", label="Audit trail", icon="shield", section="audit"),)
_ROWS_MAX = 50
_LATE = timedelta(hours=1)  # an export that takes longer did not come about
_ID = r"[0-9a-f]{32}"
_DAY = r"|\d{4}-\d{2}-\d{2}"


class Place(msgspec.Struct):
    """Where in the trail: before a row, or up to a day (UTC)."""

    before: Annotated[str, Meta(pattern=f"^({_ID})?$")] = ""
    until: Annotated[str, Meta(pattern=f"^({_DAY[1:]})?$")] = ""


class ExportForm(Body):
    """What part of the trail, and how. Days in UTC; empty: from the beginning, to the end."""

    kind: Literal["csv", "jsonl"] = "csv"
    from_day: Annotated[str, Meta(pattern=f"^({_DAY[1:]})?$")] = ""
    to_day: Annotated[str, Meta(pattern=f"^({_DAY[1:]})?$")] = ""


async def trail_page(ctx: Ctx, place: Place) -> Page:
    rows = await ctx.db.all(q.audit_trail, before=_before(place))
    shown = rows[:_ROWS_MAX]
    people = await _names(ctx, {row["actor_id"] for row in shown if row["actor_id"]})
    personal = await personal_of(ctx.db, [row["audit_id"] for row in shown])
    data = {
        "rows": [_row(row, people, personal.get(row["audit_id"], {})) for row in shown],
        "until": place.until,
        "start": "/audit" if place.before or place.until else "",
        "next": f"/audit?before={shown[-1]['audit_id'].hex}" if len(rows) > _ROWS_MAX else "",
    }
    return Page("kernel/audit.html", data, title=_("Audit trail"), section="audit")


async def exports_page(ctx: Ctx) -> Page:
    return await _exports(ctx)


async def submit_export(ctx: Ctx, form: ExportForm) -> Redirect:
    try:
        await ask_export(ctx, form.kind, from_day=_day(form.from_day), to_day=_day(form.to_day))
    except Refusal as refused:
        raise refused.shown_on(await _exports(ctx, form=form, error=refused)) from None
    return Redirect("/audit/exports")


async def _exports(ctx: Ctx, *, form: ExportForm | None = None, error: Refusal | None = None) -> Page:
    rows = await ctx.db.all(q.audit_export_list)
    data = {
        "exports": [_export(ctx, row) for row in rows],
        "form": form or ExportForm(),
        "kinds": [("csv", _("CSV, for spreadsheets")), ("jsonl", _("JSON lines, for programs"))],
        "errors": error.fields if error else {},
        "error": error.message if error and not error.fields else "",
        "kept_days": KEPT_S // 86_400,
    }
    return Page("kernel/audit_exports.html", data, title=_("Exports of the audit trail"), section="audit")


def _before(place: Place) -> uuid.UUID:
    if place.before:
        return uuid.UUID(place.before)
    day = _day(place.until)
    return first_id_of(day + timedelta(days=1)) if day else uuid.UUID(int=2**128 - 1)


def _day(text: str) -> date | None:
    """Return the day; one that no calendar has, or beyond the last that ids can have, is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None


def _row(row: Record, people: dict[uuid.UUID, str], personal: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {
        "at": f"{row['at']:%Y-%m-%d %H:%M:%S}",
        "who": people.get(row["actor_id"], "") or (str(row["actor_id"])[:8] if row["actor_id"] else ""),
        "action": row["action"],
        "of": row["object_type"],
        "id": row["object_id"],
        "seq": row["seq"],
        "trace_id": row["trace_id"],
        "facts": {name: _fact(name, value, personal) for name, value in row["detail"].items()},
    }


def _fact(name: str, value: Any, personal: dict[str, dict[str, str]]) -> str:
    if isinstance(value, dict) and set(value) == {"commitment"}:
        return personal[name]["value"] if name in personal else _("erased")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


async def _names(ctx: Ctx, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    names = ctx.runtime.names
    return await names(ctx.db, sorted(ids)) if names and ids else {}


def _export(ctx: Ctx, row: Record) -> dict[str, Any]:
    is_made = row["status"] == "made"
    is_late = not is_made and ctx.now() - row["asked_at"] > _LATE
    return {
        "id": row["export_id"],
        "kind": "CSV" if row["kind"] == "csv" else "JSON",
        "days": _days(row["from_day"], row["to_day"]),
        "asked": f"{row['asked_at']:%Y-%m-%d %H:%M}",
        "is_making": not is_made and not is_late,
        "is_late": is_late,
        "done": row["rows_done"],
        "total": row["rows_total"],
        "size": _size(row["bytes"]) if is_made else "",
        "path": export_link(ctx, row).path if is_made else "",
    }


def _days(first: date | None, last: date | None) -> str:
    if first and last:
        return _("{first} to {last}", first=day_text(first), last=day_text(last))
    if first:
        return _("From {day}", day=day_text(first))
    return _("Until {day}", day=day_text(last)) if last else _("The whole trail")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes >= 100_000 else f"{max(1, size_bytes // 1000)} kB"


_READS: Any = {"media": "html", "permission": "audit.read"}

# queries_max counts the session's look-up and touch (2).
ROUTES: tuple[Route, ...] = (
    route("GET", "/audit", trail_page, **_READS, query=Place, title="Audit trail", queries_max=5,
          personal=("email",)),
    route("GET", "/audit/exports", exports_page, media="html", permission="audit.export", title="Exports of the audit trail",
          queries_max=3),
    route("POST", "/audit/exports", submit_export, media="html", permission="audit.export", body=ExportForm,
          idempotency="key", effect="create", audit="audit.export_asked", title="Have the audit trail as a file",
          example={"kind": "csv"}, queries_max=12),
)  # fmt: skip
