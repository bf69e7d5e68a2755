"""The audit is believed only once it knows an old vulnerability, and what it skips is named. A stand-in program speaks for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.repository import tool
from tests.gauntlet.repository.conftest import Ask

AUDIT = """#!{python}
import json, sys
lines = [line.strip().split("==") for line in open("requirements.txt")]
bad = {bad!r}
rows = []
for name, version in lines:
    if name in {skipped!r}:
        rows.append({{"name": name, "skip_reason": "not found"}})
    else:
        vulns = [{{"id": bad[name], "description": "It is bad.", "fix_versions": []}}] if name in bad else []
        rows.append({{"name": name, "version": version, "vulns": vulns}})
print(json.dumps({{"dependencies": rows}}))
sys.exit(1 if any(row.get("vulns") for row in rows) else 0)
"""


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    program = tmp_path / "pip-audit"
    monkeypatch.setattr(tool, "program_of", lambda _tool, **_: str(program))

    def says(*, bad: dict[str, str], skipped: tuple[str, ...] = ()) -> None:
        program.write_text(AUDIT.format(python=sys.executable, bad=bad, skipped=skipped))
        program.chmod(0o755)

    return says


async def _asked(ask: Ask) -> dict[str, Verdict]:
    found = await ask("build.vulnerabilities", start=(sys.executable, "-m", "app"))
    return {subject: finding.verdict for subject, finding in found.items()}


async def test_an_audit_that_knows_nothing_is_not_measured(ask: Ask, audit: object) -> None:
    audit(bad={})  # type: ignore[operator]
    assert await _asked(ask) == {"all": Verdict.NOT_MEASURED}


async def test_a_vulnerability_fails_and_what_was_skipped_is_not_green(ask: Ask, audit: object) -> None:
    audit(bad={"jinja2": "CVE-2014-1402", "httpx": "X-1"}, skipped=("pytest",))  # type: ignore[operator]
    found = await _asked(ask)
    assert sorted(found.values()) == [Verdict.FAIL, Verdict.NOT_MEASURED]
    assert [subject for subject in found if subject.endswith(":X-1")]


async def test_packages_without_any_pass(ask: Ask, audit: object) -> None:
    audit(bad={"jinja2": "CVE-2014-1402"})  # type: ignore[operator]
    assert await _asked(ask) == {"python": Verdict.PASS}
