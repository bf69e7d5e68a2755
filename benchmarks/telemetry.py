"""`make bench NAME=telemetry`: what metrics and traces cost the web process, and whether they tell a secret.

Four web processes of one installation, on one database, that differ in [telemetry] only: nothing; metrics; metrics
and 1 % of traces; metrics and all traces. Rounds go to each in turn, in another order each time; what counts is the
CPU of the process per request, all of it, the thread that writes spans included. The mix is what apps do: lists,
a page of the console, a customer made. Then every route of the app with all traces is sent canaries, and logs,
errors, traces, metrics and pg_stat_statements are searched for them. About three minutes.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from benchmarks.app import SHIPWORTHY, App, cpu_s, running_app, stop, wait_for
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.contract.finding import Finding
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.stages.exposure import CHECKS
from shipworthy.local.ports import free_port

ROUNDS, PER_ROUND = 16, 90
_CANARIES = next(check for check in CHECKS if check.name == "logs.canaries")
_VARIANTS = {
    "none": "metrics = false\nsample_percent = 0.0",
    "metrics": "sample_percent = 0.0",
    "1pct": "sample_percent = 1.0",
    "100pct": "sample_percent = 100.0",
}
_BOUNDS = {
    "extra_cpu_metrics": "0.05 owed",
    "extra_cpu_1pct": "0.10 owed",
    "extra_cpu_100pct": "0.25 owed",
    "canaries_leaked": "0 owed",
}
_ANY_CANARY = re.compile(rb"cnry\d{8}[a-z]{2}\d{3}")


def main() -> int:
    with running_app(rooms="invoicing,site", seed="demo") as app:
        cpu = _measured(app)
    figures: dict[str, Figure] = {
        f"extra_cpu_{name}": round(cpu[name] / cpu["none"] - 1, 3) for name in _VARIANTS if name != "none"
    }
    figures["cpu_us_without"] = round(cpu["none"])
    with running_app(
        rooms="invoicing,site", seed="demo", settings=f"[telemetry]\n{_VARIANTS['100pct']}"
    ) as app:
        found = asyncio.run(_hunted(app))
        beside = _searched(app)
    leaked = [finding for finding in found if finding.verdict is Verdict.FAIL]
    figures |= {
        "canaries_leaked": len(leaked) + len(beside),
        "canary_kinds_searched": sum(finding.verdict is Verdict.PASS for finding in found),
        "requests_with_canaries": max(
            (int(f.measures[0].samples or 0) for f in found if f.measures), default=0
        ),
    }
    notes = [f"{finding.id}: {finding.title}" for finding in leaked] + beside
    publish(Report(name="telemetry", figures=figures, notes=notes), bounds=_BOUNDS)
    return 1 if notes else 0


def _measured(app: App) -> dict[str, float]:
    """Return the CPU microseconds of a request, by variant."""
    with _servers(app) as servers:
        used = uvloop.run(_driven(app, servers))
    rows = [(name, us, us / used["none"] - 1) for name, us in used.items()]
    show_table("CPU of the web process", ("telemetry", "us a request", "extra"), rows)
    return used


async def _driven(app: App, servers: dict[str, tuple[int, int]]) -> dict[str, float]:
    person, login = app.handle.tenants[0], app.manifest.login
    assert login is not None, "our apps say how a person signs in"
    sessions = {}
    for name, (port, _) in servers.items():
        sessions[name] = HttpSession(f"http://127.0.0.1:{port}")
        await sign_in(sessions[name], login, person)
        await _round(sessions[name])  # warm
    spent = dict.fromkeys(servers, 0.0)
    order = list(servers)
    for number in range(ROUNDS):
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            before = cpu_s(servers[name][1])
            await _round(sessions[name])
            spent[name] += cpu_s(servers[name][1]) - before
    for session in sessions.values():
        await session.close()
    return {name: seconds / (ROUNDS * PER_ROUND) * 1e6 for name, seconds in spent.items()}


async def _round(session: HttpSession) -> None:
    for number in range(PER_ROUND):
        match number % 6:
            case 0:
                key = {"idempotency-key": uuid.uuid4().hex}
                answer = await session.post(
                    "/api/customers", json_body={"name": f"Customer {number}"}, headers=key
                )
            case 1 | 4:
                answer = await session.get("/invoices", headers={"accept": "text/html"})
            case _:
                answer = await session.get("/api/invoices")
        assert answer.status in (200, 201), (answer.status, answer.text[:200])
    await asyncio.sleep(1.1)  # what is written every second is written, and counted, in its own round


@contextmanager
def _servers(app: App) -> Iterator[dict[str, tuple[int, int]]]:
    """Run a web process for each variant; yield their ports and process ids."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    ports: dict[str, int] = {}
    try:
        for name, settings in _VARIANTS.items():
            home = app.home.parent / f"app-{name}"
            shutil.copytree(app.home, home)
            with (home / "app.toml").open("a", encoding="utf-8") as app_toml:
                app_toml.write(f"\n[telemetry]\n{settings}\n")
            ports[name] = free_port()
            with (app.home.parent / f"{name}.log").open("wb") as log:
                running[name] = subprocess.Popen(
                    [*SHIPWORTHY, "serve", "--port", str(ports[name])],
                    cwd=home,
                    env=app.environment(),
                    stdout=log,
                    stderr=log,
                )
        for port in ports.values():
            wait_for(f"http://127.0.0.1:{port}/-/healthz")
        yield {name: (ports[name], process.pid) for name, process in running.items()}
    finally:
        for process in running.values():
            stop(process)


async def _hunted(app: App) -> list[Finding]:
    """Send every route canaries, and search logs, errors and statements for them."""
    target = Target(name=app.manifest.app, kind="shipworthy", manifest=app.manifest)
    exam = Exam(target, StartedInstance(app.handle, None))
    exam.begin(PlannedCheck(check=_CANARIES))
    try:
        return list(await _CANARIES.run(exam))
    finally:
        await exam.close()


def _searched(app: App) -> list[str]:
    """Search what the check does not know of: traces and metrics."""
    with urllib.request.urlopen(f"{app.handle.base_url}/-/metrics", timeout=10) as answer:
        places = {"metrics": answer.read()}
    for file in app.state.glob("traces*.jsonl"):
        places[file.name] = Path(file).read_bytes()
    assert "traces.jsonl" in places, "with all traces sampled there is something to search"
    return [
        f"{name} holds {found.group().decode()}"
        for name, text in places.items()
        if (found := _ANY_CANARY.search(text))
    ]


if __name__ == "__main__":
    sys.exit(main())
