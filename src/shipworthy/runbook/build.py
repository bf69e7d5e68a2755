"""The whole runbook as files: drawn from the facts, so that building twice gives the same bytes.

A page that was drilled keeps its stamp when it is built again: whether the stamp still fits is what `check` asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

from shipworthy.runbook import diagrams
from shipworthy.runbook.alerts import alert_pages
from shipworthy.runbook.card import card
from shipworthy.runbook.facts import Facts
from shipworthy.runbook.families import error_pages
from shipworthy.runbook.markdown import parse, write
from shipworthy.runbook.page import Page, PageInvalid
from shipworthy.runbook.raci import duties
from shipworthy.runbook.rota import Shift, as_calendar, rotation

FOLDER = "runbook"
WEEKS = 52
# Written by hand, each with the rooms without which it says nothing.
WRITTEN: Mapping[str, tuple[str, ...]] = {
    "budget-overage": ("auth",),
    "errors-alert": ("auth",),
    "errors-alerts": ("auth",),
    "errors-database": ("auth",),
    "errors-edge": ("auth",),
    "errors-internal": ("auth",),
    "errors-mail": ("auth",),
    "errors-permission": ("auth",),
    "errors-tenant": ("auth",),
    "invoice-numbers": ("invoicing",),
    "migration-rollback": ("auth",),
    "oauth-client-rotation": ("auth",),
    "redirect-register": ("site",),
    "restore": ("invoicing",),
    "signing-key-rotation": ("auth",),
    "tenant-export-delete": ("auth",),
}
_CODES = re.compile(r"<<codes (\w+)>>")


def pages(facts: Facts) -> list[Page]:
    """Return every page, alerts first, then error codes, then procedures; unstamped."""
    written = [
        _written(name, facts) for name, rooms in WRITTEN.items() if set(rooms) <= set(facts.manifest.rooms)
    ]
    kinds = ("alert", "errors", "procedure")
    everything = [*alert_pages(facts), *error_pages(facts), *written]
    return sorted(everything, key=lambda page: (kinds.index(page.kind), page.name))


def files(facts: Facts, *, present: Mapping[str, str]) -> dict[str, str]:
    """Return the runbook's files by their path below its folder. `present` are those that are there now."""
    all_pages, shifts = pages(facts), shifts_of(facts)
    drawn = {
        "context": ("Context", diagrams.context(facts.manifest)),
        "data-flow": ("Data flow", diagrams.data_flow(facts.manifest)),
        "queues": ("Queues", diagrams.queues(facts.manifest)),
        "schema": ("Schema", diagrams.schema(facts.columns)),
    }
    return {
        "README.md": card(facts, all_pages, duties(facts.raci), shifts),
        **{f"diagrams/{name}.md": f"# {title}\n\n{text}" for name, (title, text) in drawn.items()},
        **({"oncall.ics": as_calendar(facts.manifest.app, shifts, made=begins_of(facts))} if shifts else {}),
        **{f"{page.name}.md": write(_stamped(page, present)) for page in all_pages},
    }


def begins_of(facts: Facts) -> datetime:
    """Errors: ValueError for a day that is none."""
    day = datetime.fromisoformat(facts.oncall.begins)
    return day.replace(hour=facts.oncall.hour_utc, tzinfo=UTC)


def shifts_of(facts: Facts) -> list[Shift]:
    """Return the shifts of a year; none where nobody is named."""
    if not facts.oncall.people:
        return []
    return rotation(
        facts.oncall.people, begins=begins_of(facts), shift_days=facts.oncall.shift_days, weeks=WEEKS
    )


def _stamped(page: Page, present: Mapping[str, str]) -> Page:
    try:
        return replace(page, stamp=parse(present[f"{page.name}.md"], name=page.name).stamp)
    except (KeyError, PageInvalid):
        return page


def _written(name: str, facts: Facts) -> Page:
    text = (resources.files("shipworthy.runbook") / "procedures" / f"{name}.md").read_text(encoding="utf-8")
    return parse(_CODES.sub(lambda found: _table(found[1], facts), text), name=name)


def _table(family: str, facts: Facts) -> str:
    rows = [f"| `{c.code}` | {c.status} | {c.says} |" for c in facts.codes if c.family == family]
    return "\n".join(["| code | status | what it says |", "|---|---|---|", *rows])
