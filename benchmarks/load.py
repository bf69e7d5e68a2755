"""`make bench NAME=load`: our load engine beside wrk, hey, Locust and autocannon, and what it hides.

Every client runs saturated, closed loop, 32 connections, pinned to the first core, against the same
server on the last one, which answers 200 bytes and counts. After a warm-up the server's count and
the client's CPU (all its processes) are read twice, five seconds apart: requests per CPU second is
the figure, so that start-up is nobody's cost and a client that is fast enough to wait is not punished.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks import peers
from benchmarks.app import stop, tree_cpu_s
from benchmarks.load_engine import CONNECTIONS, cores, plan_of, server
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.gauntlet.load.process import run_in_process
from shipworthy.judge.histogram import LogHistogram

LOCUST, AUTOCANNON = "locust==2.47.0", "autocannon@9.0.0"
_WARM_S, _MEASURED_S, _REPEATS = 3.0, 5.0, 3
_FROZEN_S = 6.0
_LOCUSTFILE = """
from locust import FastHttpUser, task
class Visitor(FastHttpUser):
    @task
    def page(self):
        self.client.get("/")
"""
_BOUNDS = {
    "requests_per_cpu_s": "10 x Locust owed",
    "lag_p99_ms_2000": "2, aimed 1",
    "frozen_shown": "1",
    "histogram_error_max": "0.01",
}


def main() -> None:
    figures: dict[str, Figure] = {}
    notes: list[str] = []
    with server() as url:
        for key, command, version in _clients(url):
            if command is None:
                figures[key] = None
                notes.append(f"{key}: {version}")
                continue
            figures[key] = round(median(_requests_per_cpu_s(command, url) for _ in range(_REPEATS)))
            notes.append(f"{key}: {version}")
        for rate in (500, 2_000, 10_000):
            lags = [
                run_in_process(plan_of(url, rate_per_s=rate), cpu=cores()[0]).lag_ms_p99
                for _ in range(_REPEATS)
            ]
            figures[f"lag_p99_ms_{rate}"] = round(median(lags), 3)
        figures["frozen_p99_ms"] = round(_frozen_p99_ms(url), 1)
    figures["frozen_shown"] = int(float(figures["frozen_p99_ms"] or 0) > 0.8 * _FROZEN_S * 1000)
    figures["histogram_error_max"] = round(_histogram_error_max(), 5)
    ours, locust = figures["requests_per_cpu_s"], figures["locust_requests_per_cpu_s"]
    if isinstance(ours, int) and isinstance(locust, int):
        figures["times_locust"] = round(ours / locust, 1)
    _show(figures)
    publish(Report(name="load", figures=figures, notes=notes), bounds=_BOUNDS)


def _clients(url: str) -> list[tuple[str, list[str] | None, str]]:
    """Return every client: the figure's key, the command, and its version or why it is missing."""
    seconds = round(_WARM_S + _MEASURED_S + 4)
    ours = [sys.executable, "-m", "benchmarks.load_engine", "--saturate-for", str(seconds), url]
    wrk, hey = peers.program("wrk"), peers.program("hey")
    locust, autocannon = peers.python_peer("locust", LOCUST), peers.npm_peer("autocannon", AUTOCANNON)
    found: list[tuple[str, list[str] | None, str]] = [
        ("requests_per_cpu_s", ours, "this repository, the engine's whole path of an arrival"),
        ("wrk_requests_per_cpu_s", wrk and [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url], "Debian's wrk (C)"),
        ("hey_requests_per_cpu_s", hey and [hey, "-c", str(CONNECTIONS), "-z", f"{seconds}s", url], "Debian's hey (Go)"),
        ("locust_requests_per_cpu_s", locust and _locust(locust, url, seconds), f"{LOCUST}, FastHttpUser, {CONNECTIONS} users"),
        ("autocannon_requests_per_cpu_s", autocannon and _autocannon(autocannon, url, seconds), AUTOCANNON),
    ]  # fmt: skip
    return [(key, command or None, said if command else "not to be had here") for key, command, said in found]


def _locust(python: Path, url: str, seconds: int) -> list[str]:
    file = peers.FOLDER / "locustfile.py"
    file.write_text(_LOCUSTFILE, encoding="utf-8")
    users = ["-u", str(CONNECTIONS), "-r", str(CONNECTIONS)]
    return [str(python), "-m", "locust", "-f", str(file), "--headless", *users, "-t", f"{seconds}s", "-H", url, "--only-summary"]  # fmt: skip


def _autocannon(home: Path, url: str, seconds: int) -> list[str]:
    script = home / "node_modules" / "autocannon" / "autocannon.js"
    return ["node", str(script), "-c", str(CONNECTIONS), "-d", str(seconds), "-n", url]


def _requests_per_cpu_s(command: Sequence[str], url: str) -> float:
    """Run one client pinned to the first core; return what the server counted per CPU second of it."""
    core = cores()[0]
    child = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no threads yet
    )
    try:
        began = _counted(url)
        deadline = time.monotonic() + 30
        while _counted(url) < began + 100:  # an interpreter needs a second to begin
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} sends nothing")
            time.sleep(0.1)
        time.sleep(_WARM_S)
        requests, cpu_s = _counted(url), tree_cpu_s(child.pid)
        time.sleep(_MEASURED_S)
        return (_counted(url) - requests) / (tree_cpu_s(child.pid) - cpu_s)
    finally:
        stop(child)


def _counted(url: str) -> int:
    with urllib.request.urlopen(f"{url}/count", timeout=10) as answer:
        return int(answer.read())


def _frozen_p99_ms(url: str) -> float:
    """Stop the server for six seconds under an open load of 200/s; return the p99 the engine tells."""
    with urllib.request.urlopen(f"{url}/pid", timeout=10) as answer:
        pid = int(answer.read())
    plan = replace(plan_of(url, rate_per_s=200.0), blocks=20, timeout_s=15.0)
    frozen = threading.Timer(4.0, _freeze, (pid,))
    frozen.start()
    try:
        return run_in_process(plan, cpu=cores()[0]).journeys[0].latency_ms(0.99)
    finally:
        frozen.join()


def _freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(_FROZEN_S)
    finally:
        os.kill(pid, signal.SIGCONT)


def _histogram_error_max() -> float:
    """Return the largest relative error of a percentile over four kinds of latency, from 10 us to a minute."""
    rng = random.Random(20_260_701)
    kinds: list[Callable[[], float]] = [
        lambda: rng.lognormvariate(9, 1.5),
        lambda: rng.uniform(10, 60_000_000),
        lambda: rng.paretovariate(1.2) * 500,
        lambda: rng.choice((900.0, 150_000.0, 5_000_000.0)) * rng.uniform(0.99, 1.01),
    ]
    worst = 0.0
    for draw in kinds:
        values = sorted(max(1, min(60_000_000, round(draw()))) for _ in range(20_000))
        histogram = LogHistogram()
        for value in values:
            histogram.record(value)
        for q in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999):
            exact = values[-(-int(q * 1_000_000) * len(values) // 1_000_000) - 1]
            worst = max(worst, abs(histogram.quantile(q) - exact) / exact)
    return worst


def _show(figures: dict[str, Figure]) -> None:
    suffix = "requests_per_cpu_s"
    rows = [
        (key.removesuffix(suffix).rstrip("_") or "shipworthy", value if value is not None else "not measured")
        for key, value in figures.items()
        if key.endswith(suffix)
    ]
    show_table("saturated, closed loop, 32 connections", ("client", "requests per CPU second"), rows)


if __name__ == "__main__":
    main()
