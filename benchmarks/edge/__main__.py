"""`make bench NAME=edge`: what the edge turns away, whom it lets through, and what that costs.

Corpus: each case of other people's corpora (benchmarks/edge/corpora.py) goes through a whole app with everything switched on;
blocked is what was refused by how it is written, by what the route declares, or as an attack. A page that is not there is not
counted as blocked. Stuffing and search engines: see the modules. Two minutes on a quiet machine; no internet is needed.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.support.app import RunningApp, app_running, make_settings
from tests.support.client import Client
from tests.support.postgres import fresh_cluster

from benchmarks.edge import core_rules, search_engines, stuffing
from benchmarks.edge.asked import ask, is_blocked, timed_guard
from benchmarks.edge.corpora import Case, found_corpora
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.kernel.edge.gcra import Rate
from shipworthy.kernel.edge.limits import MemoryLimits
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.kernel.seed import demo_tenants, seed_demo
from shipworthy.kernel.settings import AuthSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.room import ROOM as AUTH
from shipworthy.rooms.invoicing.room import ROOM as INVOICING
from shipworthy.rooms.site.room import ROOM as SITE

_PASSWORD = "a lantern over quiet water"
_STUFFING_S, _SOLVING_S = 30, 5
_SWITCH = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
_BOUNDS = {
    "blocked_share": "0.75 aimed",
    "false_positive_share": "0.02 owed",
    "added_p95_ms": "1 aimed",
    "humans_blocked_share": "0.001 owed",
    "owners_locked": "0 owed",
    "search_engines_blocked": "0 owed",
}


def main() -> int:
    """Ask; 1 when something owed does not hold."""
    with fresh_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        figures, notes = asyncio.run(_measured(cluster, Path(folder)))
    publish(Report(name="edge", figures=figures, notes=notes), bounds=_BOUNDS)
    owed = (
        ("false_positive_share", 0.02),
        ("humans_blocked_share", 0.001),
        ("owners_locked", 0),
        ("search_engines_blocked", 0),
    )
    return int(any(isinstance(value := figures[name], (int, float)) and value > most for name, most in owed))


async def _measured(cluster: PostgresAddress, folder: Path) -> tuple[dict[str, Figure], list[str]]:
    cases, notes = found_corpora()
    figures: dict[str, Figure] = {}
    state = folder / "corpus"
    state.mkdir()
    (state / "flags.json").write_text(json.dumps({"flags": {"edge.refuse_attacks": _SWITCH}}))
    rooms = (AUTH, INVOICING, SITE)
    settings = make_settings(
        rooms,
        auth=AuthSection(hash_memory_kib=64, hash_passes=1),
        edge=EdgeSection(network_requests_per_minute=0),
    )
    async with app_running(cluster, rooms, state, settings=settings) as app:
        owner = demo_tenants(app.runtime.realm_id, _PASSWORD)
        await seed_demo(app.runtime, owner)
        client = app.client()
        assert (
            await client.post("/login", form={"email": owner[0].email, "password": _PASSWORD})
        ).status == 303
        figures |= await _corpus(client, cases, notes)
        figures |= await _search_engines(app, notes)
    crs_figures, crs_notes = core_rules.measured(cases)
    figures |= crs_figures
    notes += crs_notes
    figures |= await _stuffing(cluster, folder, notes)
    figures["limit_memory_us"] = _limit_us()
    return figures, notes


async def _corpus(client: Client, cases: list[Case], notes: list[str]) -> dict[str, Figure]:
    blocked: dict[tuple[str, str, bool], list[bool]] = defaultdict(list)
    took: list[float] = []
    for nth, case in enumerate(cases):
        with timed_guard() as took_ms:
            answer = await ask(client, case, nth)
        blocked[case.corpus, case.place, case.is_attack].append(is_blocked(answer))
        took += took_ms
    rows = [
        (corpus, place, "attack" if is_attack else "people", len(found), sum(found) / len(found))
        for (corpus, place, is_attack), found in sorted(blocked.items())
    ]
    show_table(
        "refused, by corpus and place", ("corpus", "place", "texts of", "requests", "share refused"), rows
    )

    def share(*, of_attacks: bool, corpus: str = "") -> float | None:
        found = [one for (name, _, is_attack), all_of in blocked.items() if is_attack is of_attacks and corpus in ("", name) for one in all_of]  # fmt: skip
        return round(sum(found) / len(found), 4) if found else None

    if not took:
        notes.append("no corpus was found: nothing is claimed of attacks")
    return {
        "blocked_share": share(of_attacks=True),
        "false_positive_share": share(of_attacks=False),
        "gotestwaf_blocked_share": share(of_attacks=True, corpus="gotestwaf"),
        "gotestwaf_false_positive_share": share(of_attacks=False, corpus="gotestwaf"),
        "wapiti_blocked_share": share(of_attacks=True, corpus="wapiti"),
        "prose_false_positive_share": share(of_attacks=False, corpus="prose"),
        "requests": len(took),
        "added_p50_ms": round(statistics.median(took), 4) if took else None,
        "added_p95_ms": round(statistics.quantiles(took, n=20)[-1], 4) if len(took) > 1 else None,
    }


async def _search_engines(app: RunningApp, notes: list[str]) -> dict[str, Figure]:
    names = search_engines.agents()
    if not names:
        notes.append(
            "search engines were left out: set SHIPWORTHY_TEST_DATA to the test data (crawler-user-agents)"
        )
        return {"search_engines_blocked": None}
    blocked, asked, which = await search_engines.shut_out(app, names)
    notes.extend(f"shut out: {name}" for name in which[:10])
    return {"search_engines_blocked": blocked, "search_engines": len(names), "search_engine_requests": asked}


async def _stuffing(cluster: PostgresAddress, folder: Path, notes: list[str]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for name, seconds, solves in (("", _STUFFING_S, False), ("solving_", _SOLVING_S, True)):
        state, clock = folder / f"stuffing-{name or 'plain'}", stuffing.Clock()
        state.mkdir()
        async with app_running(cluster, (AUTH,), state, settings=make_settings((AUTH,)), now=clock) as app:
            began = time.perf_counter()
            tally, hasher = await stuffing.run(app, clock, seconds=seconds, solves=solves, seed=7)
            took_s = time.perf_counter() - began
        figures[f"{name}stuffing_reached_share"] = round(tally.reached / tally.attack, 4)
        if not solves:
            figures |= {
                "humans_blocked_share": round(tally.blocked / tally.people, 5),
                "humans_challenged_share": round(tally.challenged / tally.people, 4),
                "owners_locked": len(tally.locked),
                "logins_of_people": tally.people,
                "logins_of_attack": tally.attack,
                "hashes_judged": hasher.judged,
            }
        notes.append(
            f"stuffing{' by programs that compute' if solves else ''}: {seconds} virtual seconds in {took_s:.0f} s"
        )
    return figures


def _limit_us() -> float:
    """One decision of a limit in memory, among 20,000 keys."""
    limits, rate = MemoryLimits(clock=time.monotonic), Rate(60, 10)
    keys = [random.Random(n).randbytes(16) for n in range(20_000)]
    began = time.process_time()
    for _ in range(5):
        for key in keys:
            limits.wait_now_s(key, rate)
    return round((time.process_time() - began) / (5 * len(keys)) * 1e6, 3)


if __name__ == "__main__":
    sys.exit(main())
