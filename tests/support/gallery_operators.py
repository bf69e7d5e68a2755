"""Demo data of the kernel's own pages: the audit trail, its exports, and the objectives as operators see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.objectives.board import Shown
from shipworthy.kernel.objectives.book import Book, Silence
from shipworthy.kernel.objectives.history import History, Minute
from shipworthy.kernel.objectives.reading import read_objectives
from shipworthy.kernel.objectives.series import DAY_S, HEIGHT, WIDTH, budget_days, latency_steps
from shipworthy.kernel.objectives.web import objective_view

NOW_S = 1_795_000_000.0
LOGIN = Slo(name="login", quantile=0.95, threshold_ms=200.0, title="Sign in")
CREATE = Slo(name="create", quantile=0.95, threshold_ms=700.0, title="Creating an invoice")
PAGE = Slo(name="page", quantile=0.95, threshold_ms=150.0, title="A page's first byte")

_ID = "0198f2aa-1f2c-7c11-9d3e-6a0f1d2b3c4d"
TRAIL: dict[str, Any] = {
    "rows": [
        {
            "at": f"2026-11-{28 - n // 6:02} 14:{59 - n:02}:07",
            "who": who,
            "action": action,
            "of": of,
            "id": _ID,
            "seq": 1204 - n if n else None,
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "facts": facts,
        }
        for n, (who, action, of, facts) in enumerate(
            [
                ("Mara Lindqvist", "invoice.issued", "invoice", {"number": "2026-00117", "gross_minor": "119000"}),
                ("Mara Lindqvist", "invoice.edited", "invoice", {"currency": "EUR"}),
                ("Jonas Weber", "auth.invitation_sent", "invitation", {"role": "auditor", "email": "ida@example.com"}),
                ("", "invoice.mailed", "invoice", {"mails": "1"}),
                ("Jonas Weber", "auth.member_role_changed", "user", {"from": "member", "to": "owner"}),
                ("0198f2aa", "page.published", "page", {"version": "12", "path": "/about"}),
            ]
        )
    ],
    "until": "",
    "start": "/audit",
    "next": "/audit?before=00",
}  # fmt: skip


def _export(name: str, kind: str, days: str, **more: object) -> dict[str, Any]:
    plain = {
        "asked": "2026-11-28 14:02",
        "is_making": False,
        "is_late": False,
        "done": 0,
        "total": 0,
        "size": "",
        "path": "/",
    }
    return {"id": name, "kind": kind, "days": days, **plain, **more}


EXPORTS: dict[str, Any] = {
    "exports": [
        _export("e1", "CSV", "The whole trail", is_making=True, done=42_000, total=118_204),
        _export("e2", "JSON", "1 Jan 2026 to 30 Jun 2026", total=52_117, size="3.4 MB"),
        _export("e3", "CSV", "Until 31 Dec 2025", is_late=True),
    ],
    "form": {"kind": "csv", "from_day": "", "to_day": ""},
    "kinds": [("csv", "CSV, for spreadsheets"), ("jsonl", "JSON lines, for programs")],
    "errors": {},
    "error": "",
    "kept_days": 7,
}  # fmt: skip


def objectives() -> dict[str, Any]:
    """Return the objectives page's data: one that is kept, one that burns, one without requests."""
    history = History(Path("/nonexistent"))
    for step in range(30 * 48):
        hour, at_s = step // 2, int(NOW_S) - step * 1_800 - 60
        slow = 4 + (hour * 7) % 5 if hour > 8 else 40
        history.minutes += [
            Minute(at_s=at_s, objective="login", total=200, bad=2, taken={"0.05": 120, "0.1": 60 + hour % 9, "0.2": 10, "0.5": 2}),
            Minute(at_s=at_s, objective="create", total=100, bad=slow, taken={"0.1": 100 - slow, "0.7": 0, "1.0": slow}),
        ]  # fmt: skip
    slos = (LOGIN, CREATE, PAGE)
    book = Book(silences={"create": Silence(until_s=NOW_S + DAY_S, by="mara@nordlicht.example", reason="Moving the database")})  # fmt: skip
    shown = [
        Shown(
            slo=slo,
            reading=reading,
            steps=latency_steps(history, slo, now_s=NOW_S),
            days=budget_days(history, slo, now_s=NOW_S),
        )
        for slo, reading in zip(slos, read_objectives(history, slos, now_s=NOW_S), strict=True)
    ]
    return {
        "is_watched": True,
        "watch": "shipworthy slo watch",
        "objectives": [objective_view(one, book, NOW_S) for one in shown],
        "alerts": [
            {"id": "5f0c19aa", "title": "Creating an invoice", "rule": "burns fast", "since": "2026-11-28 06:12", "by": ""},
            {"id": "5f0c19ab", "title": "Creating an invoice", "rule": "burns slowly, for days", "since": "2026-11-27 22:40", "by": "mara@nordlicht.example"},
        ],
        "choices": [(slo.name, slo.title) for slo in slos],
        "spans": [("3600", "1 hour"), ("28800", "8 hours"), ("86400", "1 day")],
        "width": WIDTH,
        "height": HEIGHT,
    }  # fmt: skip


def _budget(name: str, title: str, state: str, **facts: Any) -> dict[str, Any]:
    chart = {
        "line": "M0 60 L200 40 L400 30",
        "area": "M0 60 L200 40 L400 30 L400 80 L0 80 Z",
        "expected": "M400 30 L600 10",
        "limit_y": 8.0,
        "soft_y": 12.0,
    }
    return {
        "name": name,
        "title": title,
        "about": "What it is for.",
        "used": "42 min",
        "most": "1 h",
        "percent": 70,
        "state": state,
        "left": "If it goes on like this, it is used up in 9 days, on 7 December 2026.",
        "period": "since 1 November 2026",
        "waiting": "",
        "chart": chart,
        "first": "1 Nov",
        "last": "30 Nov",
        "described": "Used so far: 42 min. The limit is 1 h.",
        **facts,
    }


USAGE: dict[str, Any] = {
    "width": 600,
    "height": 80,
    "budgets": [
        _budget("pdf_ms", "Printing", ""),
        _budget("mails", "Mails", "soft"),
        _budget("crawl_bytes", "Crawlers", "full", waiting="3 things wait for it."),
        _budget("storage_bytes", "Storage", "", most="", percent=None, left="There is no limit."),
    ],
    "notices": [{"text": "Mails: 80 % used", "note": "20 November 2026 · 80 of 100"}],
}
