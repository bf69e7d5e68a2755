"""Stage S5 on the whole app: every flow holds, and each planted defect breaks its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.shipworthy import describe
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages.preview import CHECKS
from tests.gauntlet.conftest import by_subject, verdicts
from tests.gauntlet.probes.test_flows import pictures_in
from tests.support.browser import needs_chromium
from tests.support.postgres import open_directory
from tests.support.processes import wait_for_none_of
from tests.support.product import Patch, patched_sources
from tests.support.up import scaffold

pytestmark = [pytest.mark.product, pytest.mark.browser, pytest.mark.xdist_group("product"), needs_chromium]
FLOWS = {"up", "sign_up", "oauth_link", "create_invoice", "publish_page"}
# A mail without its link; a button whose dialog never opens.
DEFECTS = [
    (
        Patch(
            file="rooms/auth/templates/mail/confirm.txt",
            old="{{ link }}",
            new="",
        ),
        "sign_up",
        "No mail to",
    ),
    (
        Patch(
            file="rooms/invoicing/templates/invoice.html",
            old='ui.dialog_button(_("Issue invoice"), "issue"',
            new='ui.dialog_button(_("Issue invoice"), "isue"',
        ),
        "create_invoice",
        "does not stand on the page",
    ),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with open_directory() as folder:
        yield scaffold(folder / "studio", rooms="invoicing,site")
        wait_for_none_of(folder / "studio", timeout_s=60.0)


async def walked(home: Path, *command: str, report: Path | None = None) -> list[Finding]:
    target = await describe(home, command=command) if command else await describe(home)
    result = await run(target, CHECKS, stages=("s5",), folder=report)
    assert result.valid, result.notes
    return list(result.findings)


async def test_every_flow_of_the_app_holds_and_leaves_its_pictures(home: Path, tmp_path: Path) -> None:
    findings = await walked(home, report=tmp_path)
    assert verdicts(findings) == dict.fromkeys(FLOWS, Verdict.PASS), [
        f"{f.title}: {f.cause}" for f in findings
    ]
    assert len(pictures_in(tmp_path)) == sum(len(f.evidence) for f in findings) > 30
    assert list((home / ".shipworthy" / "previews" / "running").iterdir()) == []


@pytest.mark.parametrize(("patch", "flow", "said"), DEFECTS, ids=[flow for _, flow, _ in DEFECTS])
async def test_a_planted_defect_breaks_its_flow_and_no_other(
    home: Path, tmp_path: Path, patch: Patch, flow: str, said: str
) -> None:
    sources = patched_sources(tmp_path, [patch])
    found = by_subject(await walked(home, "env", f"PYTHONPATH={sources}", sys.executable, "-m", "shipworthy"))
    assert {name for name, f in found.items() if f.verdict is not Verdict.PASS} == {flow}
    assert found[flow].verdict is Verdict.FAIL and said in found[flow].cause
