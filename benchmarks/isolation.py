"""`make bench NAME=isolation`: the 24 ways in which tenants see each other, and every route of an app of ours.

Each fault of tests/support/tenancy.py is planted in a clean database of its own; caught means that the
finding about what was planted says so. `pgrls lint`, the linter that is nearest, looks at the same
databases; its catch is a violation that the clean one does not have. Then all routes of an app with all
rooms are asked for a neighbour's things, and without a session. About two minutes.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.support.postgres import fresh_cluster
from tests.support.tenancy import FAULTS, Shop, shop_database, tells

from benchmarks.app import App, running_app
from benchmarks.peers import python_peer
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.contract.finding import Finding
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.stages.isolation import CHECKS

PEER = "pgrls==0.57.1"
PEER_TIMEOUT_S = 120
_OVER_HTTP = ("isolation.two_tenants_http", "isolation.signed_out_http")
_BOUNDS = {
    "planted": "24",
    "caught": "24 of 24 owed",
    "clean_findings": "0 owed",
    "leaks": "0 owed",
}
_Violations = Counter[str]


def main() -> int:
    """Plant, ask, compare; 1 when a fault was missed, a clean schema accused or a route leaked."""
    peer = python_peer("pgrls", PEER)
    with fresh_cluster() as cluster:
        figures, notes = asyncio.run(_corpus(cluster.url(), peer))
    with running_app(seed="demo") as app:
        found = asyncio.run(_routes(app))
    leaks = [finding for finding in found if finding.verdict is Verdict.FAIL]
    undecided = [finding for finding in found if finding.verdict is Verdict.INCONCLUSIVE]
    figures |= {
        "routes_probed": len({f.subject for f in found if f.verdict in (Verdict.PASS, Verdict.FAIL)}),
        "leaks": len(leaks),
        "routes_undecided": len(undecided),
    }
    notes += [f"{finding.id}: {finding.title}. {finding.cause}" for finding in (*leaks, *undecided)]
    if peer is None:
        notes.append(f"pgrls was not measured: {PEER} could not be installed.")
    publish(Report(name="isolation", figures=figures, notes=notes), bounds=_BOUNDS)
    is_right = figures["caught"] == figures["planted"] and not figures["clean_findings"] and not leaks
    return 0 if is_right else 1


async def _corpus(admin_url: str, peer: Path | None) -> tuple[dict[str, Figure], list[str]]:
    async with shop_database(admin_url) as shop:
        clean = [f for f in await shop.ask() if f.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)]
        usual = _violations(peer, shop)
    rows, caught, caught_by_peer = [], 0, 0
    for fault in FAULTS:
        async with shop_database(admin_url) as shop:
            await shop.plant(fault.sql)
            told = tells(fault, await shop.ask(), shop)
            found = _violations(peer, shop)
        by_peer = found is not None and usual is not None and bool(found - usual)
        caught += bool(told)
        caught_by_peer += by_peer
        ours = ", ".join(sorted({check.partition(".")[2] for check in told})) or "MISSED"
        rows.append((fault.name, ours, "yes" if by_peer else "no" if usual is not None else "-"))
    show_table("planted faults", ("fault", "told by", "pgrls lint"), rows)
    figures: dict[str, Figure] = {
        "planted": len(FAULTS),
        "caught": caught,
        "clean_findings": len(clean),
        "pgrls_caught": caught_by_peer if usual is not None else None,
        "pgrls_clean_findings": usual.total() if usual is not None else None,
    }
    return figures, [f"clean: {finding.id}: {finding.title}" for finding in clean]


def _violations(peer: Path | None, shop: Shop) -> _Violations | None:
    """Return what the linter says of a database; None where it could not be asked."""
    if peer is None:
        return None
    command = [str(peer.with_name("pgrls")), "lint", "--database-url", shop.admin_url, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PEER_TIMEOUT_S, check=False)
    try:
        violations = json.loads(done.stdout)["violations"]
    except (ValueError, KeyError):
        raise RuntimeError(f"pgrls lint said nothing that can be read: {done.stderr[-500:]}") from None
    # By what is said, too: a rule that says the same of one thing more has seen something.
    said = (f"{violation['rule_id']} {violation['message']}" for violation in violations)
    return Counter(text.replace(shop.suffix, "") for text in said)


async def _routes(app: App) -> list[Finding]:
    target = Target(name=app.manifest.app, kind="shipworthy", manifest=app.manifest)
    exam, found = Exam(target, StartedInstance(app.handle, None)), []
    try:
        for check in CHECKS:
            if check.name in _OVER_HTTP:
                exam.begin(PlannedCheck(check=check))
                found += await check.run(exam)
                await exam.forget()
    finally:
        await exam.close()
    return list(found)


if __name__ == "__main__":
    sys.exit(main())
