"""A runbook is checked: a page per alert and code, as built, as drilled, not too long ago, people on call.

Covers: build, alerts, families, card, diagrams, facts, raci.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shipworthy.contract.manifest import Slo
from shipworthy.runbook.build import files, pages
from shipworthy.runbook.check import check
from shipworthy.runbook.facts import ErrorCode, Facts, OnCall
from shipworthy.runbook.markdown import parse, write
from shipworthy.runbook.page import Stamp
from shipworthy.runbook.raci import INCIDENTS, duties
from tests.runbook.facts import FACTS, MANIFEST, facts

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


def drilled(said: Facts = FACTS, *, days: int = 0, result: str = "passed") -> dict[str, str]:
    """A runbook all of whose pages were drilled."""
    built = files(said, present={})
    for page in pages(said):
        stamp = Stamp(date=(NOW - timedelta(days=days)).isoformat(), commit="abc", result=result,
                      page=page.sha256, evidence="e")  # type: ignore[arg-type] # fmt: skip
        built[f"{page.name}.md"] = write(replace(page, stamp=stamp))
    return files(said, present=built)


def sentences(said: Facts = FACTS, *, present: dict[str, str], severity: str = "error") -> list[str]:
    return [
        f"{p.subject}: {p.sentence}" for p in check(said, present=present, now=NOW) if p.severity == severity
    ]


def test_a_runbook_that_was_drilled_holds_and_building_again_changes_nothing() -> None:
    there = drilled()
    assert check(FACTS, present=there, now=NOW) == []
    assert files(FACTS, present=there) == there
    assert {page.incident for page in pages(FACTS)} <= set(INCIDENTS)


def test_what_is_not_there_not_drilled_or_changed_since_is_an_error() -> None:
    assert sentences(present={}) == ["runbook: there is none yet: shipworthy runbook build"]
    assert all("was never drilled" in said for said in sentences(present=files(FACTS, present={})))
    there = drilled()
    page = there["restore.md"]
    there["restore.md"] = page.replace("shipworthy backup check", "shipworthy backup check --deep")
    found = sentences(present=there)
    assert "restore: differs from what was drilled: shipworthy runbook drill restore" in found
    assert any(said.startswith("restore.md: is not what the app declares now") for said in found)
    assert any("its last drill failed" in said for said in sentences(present=drilled(result="failed")))
    there["restore.md"] = page.replace("```sh act", "```sh actt", 1)
    assert any("no kind of step 'actt'" in said for said in sentences(present=there))
    del there["restore.md"]
    assert "restore.md: is missing: shipworthy runbook build" in sentences(present=there)


def test_a_drill_is_old_after_thirty_days_and_too_old_after_ninety() -> None:
    assert check(FACTS, present=drilled(days=30), now=NOW) == []
    assert any("31 days old" in said for said in sentences(present=drilled(days=31), severity="warning"))
    assert sentences(present=drilled(days=31)) == []
    assert any("91 days old" in said for said in sentences(present=drilled(days=91)))


def test_each_alert_and_each_family_of_codes_needs_its_page() -> None:
    slow = replace(MANIFEST, slos=(*MANIFEST.slos, Slo(name="search", quantile=0.9, threshold_ms=50)))
    assert "alert-search.md: is missing: shipworthy runbook build" in sentences(
        facts(manifest=slow), present=drilled()
    )
    odd = facts(codes=(*FACTS.codes, ErrorCode(code="weather.wet", status=409, says="It rains.")))
    assert "weather: there is no page for the errors 'weather'" in sentences(odd, present=drilled(odd))
    fewer = facts(codes=tuple(code for code in FACTS.codes if code.family != "mail"))
    assert "mail: its page is about the errors 'mail', which there is not" in sentences(
        fewer, present=drilled(fewer)
    )


def test_nobody_on_call_is_a_warning_and_a_rota_with_gaps_an_error() -> None:
    nobody = facts(oncall=OnCall())
    assert sentences(nobody, present=drilled(nobody)) == []
    assert any(
        "nobody is on call" in s for s in sentences(nobody, present=drilled(nobody), severity="warning")
    )
    assert "oncall.ics" not in drilled(nobody)
    alone = facts(oncall=OnCall(people=("Ada",)))
    assert any("primary and secondary at once" in said for said in sentences(alone, present=drilled(alone)))
    two = facts(raci={"data": {"accountable": "Ada, Grace"}})
    assert any("exactly one answers" in said for said in sentences(two, present=drilled(two)))
    assert (
        next(d for d in duties({"data": {"accountable": "Ada"}}) if d.incident == "data").accountable == "Ada"
    )


def test_diagrams_are_drawn_from_what_is_declared_and_from_the_catalogue() -> None:
    built = files(FACTS, present={})
    assert 'customer ||--o{ invoice : ""' in built["diagrams/schema.md"]
    assert "invoice.pdf" in built["diagrams/queues.md"]
    assert 'in_auth(["email"])' in built["diagrams/data-flow.md"]
    assert "Signing in | 95% within 200 ms" in built["README.md"]
    assert parse(built["alert-page.md"], name="alert-page").of("load")[0].text == "page"
    without_site = replace(MANIFEST, rooms=("auth", "invoicing"))
    assert "redirect-register.md" not in files(facts(manifest=without_site), present={})
