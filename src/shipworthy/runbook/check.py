"""What is wrong with an app's runbook: pages that are not what was built or drilled, alerts without a page, gaps in the rota."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shipworthy.runbook import raci
from shipworthy.runbook.build import WEEKS, begins_of, files, pages, shifts_of
from shipworthy.runbook.facts import Facts
from shipworthy.runbook.markdown import parse
from shipworthy.runbook.page import Page, PageInvalid
from shipworthy.runbook.rota import uncovered

DRILL_DAYS_WARN, DRILL_DAYS_MAX = 30, 90


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is not as it should be. A warning does not fail the check."""

    severity: Literal["error", "warning"]
    subject: str
    sentence: str


def check(facts: Facts, *, present: Mapping[str, str], now: datetime) -> list[Problem]:
    """Return everything that is wrong. `present` are the files that are there, by their path below the folder."""
    return [
        *_coverage(facts),
        *_files(facts, present),
        *(problem for page in pages(facts) for problem in _drilled(page, present, now)),
        *_people(facts),
    ]


def _coverage(facts: Facts) -> list[Problem]:
    """Each alert and each family of error codes has a page; each such page is about one that there is."""
    found = []
    for kind, names in (("alert", facts.alerts), ("errors", facts.families)):
        have = [page.subject for page in pages(facts) if page.kind == kind]
        found += [
            _error(name, f"there is no page for the {kind} {name!r}") for name in names if name not in have
        ]
        found += [_error(name, f"its page is about the {kind} {name!r}, which there is not") for name in have if name not in names]  # fmt: skip
    return found


def _files(facts: Facts, present: Mapping[str, str]) -> list[Problem]:
    if not present:
        return [_error("runbook", "there is none yet: shipworthy runbook build")]
    wanted = files(facts, present=present)
    found = [_error(path, "is missing: shipworthy runbook build") for path in wanted if path not in present]
    found += [
        _error(path, "is not what the app declares now: shipworthy runbook build, then drill it")
        for path, text in wanted.items()
        if path in present and present[path] != text
    ]
    return found


def _drilled(page: Page, present: Mapping[str, str], now: datetime) -> list[Problem]:
    try:
        there = parse(present[f"{page.name}.md"], name=page.name)
    except KeyError:
        return []  # said already
    except PageInvalid as broken:
        return [_error(page.name, str(broken))]
    if there.stamp is None or there.stamp.page != there.sha256 or there.stamp.result != "passed":
        why = "was never drilled" if there.stamp is None else "differs from what was drilled"
        why = "its last drill failed" if there.stamp and there.stamp.page == there.sha256 else why
        return [_error(page.name, f"{why}: shipworthy runbook drill {page.name}")]
    age = now - datetime.fromisoformat(there.stamp.date)
    if age > timedelta(days=DRILL_DAYS_WARN):
        severity: Literal["error", "warning"] = "error" if age > timedelta(days=DRILL_DAYS_MAX) else "warning"
        return [
            Problem(severity=severity, subject=page.name, sentence=f"its last drill is {age.days} days old")
        ]
    return []


def _people(facts: Facts) -> list[Problem]:
    found = [_error("raci", sentence) for sentence in raci.wrong(facts.raci)]
    if not facts.oncall.people:
        return [*found, Problem(severity="warning", subject="oncall", sentence="nobody is on call: name people in [oncall] of app.toml")]  # fmt: skip
    begins = begins_of(facts)
    wrong = uncovered(shifts_of(facts), begins=begins, ends=begins + timedelta(weeks=WEEKS))
    return [*found, *(_error("oncall", sentence) for sentence in wrong[:5])]


def _error(subject: str, sentence: str) -> Problem:
    return Problem(severity="error", subject=subject, sentence=sentence)
