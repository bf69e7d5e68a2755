"""`shipworthy runbook`: built into an app, checked, and drilled on a copy of it, which leaves the app alone.

Every page is drilled by `make proof NAME=runbook`. Covers: hands, scratch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import APP, assert_refused, shipworthy
from tests.support.postgres import open_directory
from tests.support.processes import wait_for_none_of

PAGES = ["errors-permission", "errors-session"]


@pytest.fixture
def app() -> Iterator[Path]:
    with open_directory() as folder:
        home = folder / "toy"
        home.mkdir()
        (home / "app.toml").write_text(APP, encoding="utf-8")
        yield home


def test_a_runbook_is_built_and_drilled_and_a_changed_step_fails(app: Path) -> None:
    assert_refused(shipworthy("runbook", "drill", "restore", cwd=app), "no page", "runbook build")
    built = shipworthy("runbook", "build", "--json", cwd=app)
    assert built.returncode == 0, built.stderr
    assert {"README.md", "alert-login.md", "errors-session.md"} <= set(json.loads(built.stdout)["files"])
    assert "||--o{" in (app / "runbook/diagrams/schema.md").read_text(encoding="utf-8")
    # The third is changed as time would: the address that it asks has moved.
    page = (app / "runbook/errors-session.md").read_text(encoding="utf-8")
    (app / "runbook/errors-other.md").write_text(
        page.replace("GET /api/me", "GET /api/myself").replace("expect=401", "expect=401 within=0s"),
        encoding="utf-8",
    )
    done = shipworthy("runbook", "drill", *PAGES, "errors-other", "--json", cwd=app)
    assert done.returncode == 1, done.stderr
    reports = {report["page"]: report for report in json.loads(done.stdout)}
    assert [reports[name]["why"] for name in PAGES] == ["", ""]
    assert reports["errors-permission"]["detected_s"] > 0
    assert "Not given" in reports["errors-other"]["why"]
    evidence = (app / "runbook/evidence/errors-permission.json").read_bytes()
    stamped = (app / "runbook/errors-permission.md").read_text(encoding="utf-8")
    assert f"evidence={hashlib.sha256(evidence).hexdigest()}" in stamped
    checked = json.loads(shipworthy("runbook", "check", "--json", cwd=app).stdout)
    subjects = {problem["subject"] for problem in checked if problem["severity"] == "error"}
    assert not subjects & set(PAGES)
    assert "alert-login" in subjects, "it was never drilled"
    assert not (app / ".shipworthy").exists(), "the app itself was left alone"
    wait_for_none_of(app.parent, timeout_s=60)
