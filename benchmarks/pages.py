"""`make bench NAME=pages`: what one request for a page costs us, and what it costs others.

One article, the same text everywhere. Every server has the last core to itself; the generator and PostgreSQL
share the first. CPU per request is the claim: of the whole process tree of a server, and of PostgreSQL where
it asks it, over a closed loop, two rounds. Everybody is asked for plain bytes, although ours keeps compressed
ones ready and Next.js would make them each time. Times come from the open-loop engine.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks.app import App, running_app, stop, tree_cpu_s, wait_for
from benchmarks.article import ARTICLE, markdown
from benchmarks.closed_loop import Answered, closed_loop
from benchmarks.discovery import discovery_hit_ratio
from benchmarks.peers_pages import PAGE_PEERS, PagePeer, nginx
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.process import run_in_process
from shipworthy.gauntlet.load.result import JourneyResult
from shipworthy.local.ports import free_port

_ROUNDS = 2
_WARM_UP_S = 3.0
_MEASURE_S = 2.0 if "--short" in sys.argv else 6.0
_HIT_PER_S, _MISS_PER_S = 200.0, 30.0
_VISITS_PER_S, _VISITS_S, _ADDRESSES = 150.0, 20, 200
_APART = 0.15  # how far two rounds may lie apart
_COPIES = 32  # addresses of the article, so that no two misses at once are for the same one
_SLO = Slo(name="page", quantile=0.95, threshold_ms=150)
_BOUNDS = {
    "hit_cpu_us": "below Next static and cached Wagtail, 60 aimed",
    "hit_p95_ms": "150 owed, 5 aimed",
    "miss_cpu_us": "below Next dynamic and Wagtail, aimed below Astro",
    "miss_p95_ms": "150 owed, 40 aimed",
}


@dataclass(frozen=True)
class Subject:
    """Something to ask: `figure` names it, `cpu_s` is what it has used so far."""

    figure: str
    port: int
    paths: tuple[str, ...]
    host: str
    cpu_s: Callable[[], float]
    status: int = 200
    headers: Mapping[str, str] | None = None


def main() -> None:
    """Measure ours and every peer that can be had, and publish."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        publish(Report(name="pages", figures={}, valid=False, notes=["needs two cores"]))
        return
    os.sched_setaffinity(0, cores[:1])
    notes: list[str] = []
    with running_app() as app, asyncio.Runner() as runner:
        bench = _Bench(app, runner, notes, cores=(cores[0], cores[-1]))
        bench.write_article()
        ready = [(peer, peer.made_ready(ARTICLE, bench.database_of(peer))) for peer in PAGE_PEERS]
        for peer, prepared in ready:
            bench.tell(peer, is_here=prepared is not None)
        measured: dict[str, list[float]] = {}
        for _ in range(_ROUNDS):
            bench.measure_ours(measured)
            for peer, prepared in ready:
                if prepared is not None:
                    with prepared.running(core=bench.core) as running:
                        cpu_s = bench.with_database(running.cpu_s) if peer.needs_database else running.cpu_s
                        host = f"localhost:{running.port}"
                        for figure, path in peer.pages.items():
                            bench.measure(Subject(figure, running.port, (path,), host, cpu_s), measured)
        figures: dict[str, Figure] = {name: round(sum(of) / len(of), 1) for name, of in measured.items()}
        figures |= bench.times()
        figures["discovery_hit_ratio"] = discovery_hit_ratio(app, runner, core=bench.core)
    is_steady = bench.are_close(measured)
    publish(
        Report(name="pages", figures=figures, valid=is_steady and not bench.is_wrong, notes=notes),
        bounds=_BOUNDS,
    )


class _Bench:
    """One run: the app, who writes in it, and what is to be said about the figures."""

    def __init__(self, app: App, runner: asyncio.Runner, notes: list[str], *, cores: tuple[int, int]) -> None:
        self._app, self._runner, self._notes = app, runner, notes
        self._own_core, self.core = cores
        self.is_wrong = False
        self._host = (app.handle.site_url or "").removeprefix("http://").partition(":")[0]
        self._session = HttpSession(app.handle.base_url)
        self._paths = ("/article", *(f"/article-{n}" for n in range(2, _COPIES + 1)))

    def write_article(self) -> None:
        """Publish the article under all its addresses, through the API."""
        login = self._app.manifest.login
        assert login is not None
        self._runner.run(sign_in(self._session, login, self._app.handle.tenants[0]))
        for path in self._paths:
            page = {
                "title": ARTICLE["title"],
                "description": ARTICLE["description"],
                "body": markdown(),
                "in_menu": False,
            }
            made = self._send("POST", "/api/pages", page | {"path": path})
            self._send("POST", f"/api/pages/{made['page_id']}/publish", {})

    def _send(self, method: str, path: str, body: Mapping[str, object], **headers: str) -> dict[str, object]:
        key = {"idempotency-key": f"{time.monotonic_ns()}", **headers}
        answer = self._runner.run(self._session.request(method, path, json_body=body, headers=key))
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text[:300]}"
        found: dict[str, object] = answer.json
        return found

    def database_of(self, peer: PagePeer) -> str:
        """Return an empty database of the same PostgreSQL for a peer that needs one."""
        return self._runner.run(self._app.fresh_database(f"peer_{peer.name}")) if peer.needs_database else ""

    def with_database(self, cpu_s: Callable[[], float]) -> Callable[[], float]:
        database = self._app.pid("database")
        return lambda: cpu_s() + tree_cpu_s(database)

    def tell(self, peer: PagePeer, *, is_here: bool) -> None:
        if not is_here:
            self._notes.append(f"{', '.join(peer.pages)}: cannot be installed here, not measured")
            return
        self._notes.extend(f"{peer.name}: {key}: {said}" for key, said in peer.settings.items())

    def measure_ours(self, measured: dict[str, list[float]]) -> None:
        path = self._paths[:1]
        with self._served() as (port, cpu_s), tempfile.TemporaryDirectory() as folder:
            etag = self._asked(port).headers["etag"]
            self.measure(Subject("hit_cpu_us", port, path, self._host, cpu_s), measured)
            known = {"if-none-match": etag}
            self.measure(Subject("not_modified_cpu_us", port, path, self._host, cpu_s, 304, known), measured)
            self._measure_nginx(port, Path(folder), measured)
        with self._served(cache_bytes_max=0) as (port, cpu_s):
            missed = Subject("miss_cpu_us", port, self._paths, self._host, cpu_s)
            self.measure(missed, measured)
            before = self._runner.run(_statements(self._app))
            answered = self._ask(missed, 1.0)
            run = self._runner.run(_statements(self._app)) - before
            measured["miss_queries"] = [round(run / answered.requests, 2)]

    def _measure_nginx(self, upstream: int, folder: Path, measured: dict[str, list[float]]) -> None:
        peer = nginx(upstream, self._host, folder)
        prepared = peer.made_ready(ARTICLE, "")
        if not measured.get("hit_cpu_us", [0.0])[1:]:
            self.tell(peer, is_here=prepared is not None)
        if prepared is not None:
            with prepared.running(core=self.core) as running:
                self.measure(
                    Subject("nginx_cpu_us", running.port, self._paths[:1], "localhost", running.cpu_s),
                    measured,
                )

    def measure(self, subject: Subject, measured: dict[str, list[float]]) -> None:
        """Ask for it until it is warm, then on; keep the CPU of each answer."""
        self._ask(subject, _WARM_UP_S)
        before = subject.cpu_s()
        answered = self._ask(subject, _MEASURE_S)
        cpu_us = (subject.cpu_s() - before) / answered.requests * 1e6
        measured.setdefault(subject.figure, []).append(cpu_us)
        if set(answered.counts) != {str(subject.status)}:
            self.is_wrong = True
            self._notes.append(f"{subject.figure}: not every answer was {subject.status}: {answered.counts}")

    def _ask(self, subject: Subject, seconds: float) -> Answered:
        return self._runner.run(
            closed_loop(
                subject.port, subject.paths, host=subject.host, seconds=seconds, headers=subject.headers
            )
        )

    def times(self) -> dict[str, Figure]:
        """Return what comes from the open-loop engine, and what the counters say."""
        figures: dict[str, Figure] = {}
        with self._served() as (port, _):
            figures["hit_p95_ms"] = self._p95_ms(port, _HIT_PER_S)
            figures["hit_ratio"] = self._hit_ratio(port)
        with self._served(cache_bytes_max=0) as (port, _):
            figures["miss_p95_ms"] = self._p95_ms(port, _MISS_PER_S)
        return figures

    def _p95_ms(self, port: int, rate_per_s: float) -> float:
        step = Step(method="GET", path=self._paths[0], host="site", expect=(200,))
        journey = Journey(name="page", slo="page", rate_per_s=rate_per_s, login=False, steps=(step,))
        found = self._offered(port, (journey,), blocks=10, block_s=_MEASURE_S / 4)[0]
        return round(found.latency_ms(0.95), 2)

    def _hit_ratio(self, port: int) -> float:
        """Visitors read by Zipf's law while somebody changes and publishes one of the pages each second."""
        paths = self._published_paths(port)[:_ADDRESSES]
        weights = [1 / (place + 1) for place in range(len(paths))]
        journeys = tuple(
            Journey(name=f"page_{place}", slo="page", rate_per_s=_VISITS_PER_S * weight / sum(weights), login=False,
                    steps=(Step(method="GET", path=path, host="site", expect=(200,)),))
            for place, (path, weight) in enumerate(zip(paths, weights, strict=True))
        )  # fmt: skip
        page = self._send(
            "POST", "/api/pages", {"title": "News of the day", "body": "Nothing yet.", "in_menu": False}
        )
        before = _counted(port)

        def change(second: object) -> None:
            headers = {"if-match": "*"}
            body = {"title": "News of the day", "body": f"It is {time.monotonic()}.", "in_menu": False}
            self._send("PUT", f"/api/pages/{page['page_id']}", body, **headers)
            self._send("POST", f"/api/pages/{page['page_id']}/publish", {})

        self._offered(port, journeys, blocks=_VISITS_S, block_s=1.0, on_second=change)
        now = _counted(port)
        new = {state: now[state] - before.get(state, 0.0) for state in now}
        return round(new["hit"] / sum(new.values()), 4)

    def _offered(
        self, port: int, journeys: tuple[Journey, ...], *, blocks: int, block_s: float,
        on_second: Callable[[object], None] | None = None,
    ) -> tuple[JourneyResult, ...]:  # fmt: skip
        plan = LoadPlan(
            name="pages",
            base_url=f"http://localhost:{port}",
            site_url=f"http://{self._host}:{port}",
            journeys=journeys,
            slos=(_SLO,),
            blocks=blocks,
            block_s=block_s,
            warmup_s=1.0,
        )
        result = run_in_process(plan, on_second, cpu=self._own_core)
        failed = sum(sum(found.failures.values()) for found in result.journeys)
        if failed or result.aborted:
            self.is_wrong = True
            self._notes.append(f"{failed} requests failed {result.aborted}")
        return result.journeys

    def _published_paths(self, port: int) -> list[str]:
        with self._asked(port, "/sitemap.xml") as answer:
            return re.findall(r"<loc>https?://[^/<]+(/[^<]*)</loc>", answer.read().decode())

    def _asked(self, port: int, path: str = "/article"):  # type: ignore[no-untyped-def]
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": self._host})
        return urllib.request.urlopen(request, timeout=10)

    def are_close(self, measured: Mapping[str, list[float]]) -> bool:
        show_table(
            "CPU microseconds a request, by round", ("server", *(f"round {n + 1}" for n in range(_ROUNDS))),
            ((name, *(round(one, 1) for one in of)) for name, of in measured.items()),
        )  # fmt: skip
        apart = [name for name, of in measured.items() if max(of) > (1 + _APART) * min(of)]
        if apart:
            self._notes.append(f"two rounds lie more than {_APART:.0%} apart: {', '.join(apart)}")
        return not apart

    @contextmanager
    def _served(self, *, cache_bytes_max: int | None = None) -> Iterator[tuple[int, Callable[[], float]]]:
        """A web process of the app with the last core to itself; with a cache that keeps nothing where asked."""
        port = free_port()
        with ExitStack() as kept:
            home = self._app.home
            if cache_bytes_max is not None:
                folder = kept.enter_context(tempfile.TemporaryDirectory())
                home = Path(shutil.copytree(home, Path(folder) / "app"))
                with (home / "app.toml").open("a", encoding="utf-8") as settings:
                    settings.write(f"\n[site]\ncache_bytes_max = {cache_bytes_max}\n")
            web = self._app.start("serve", "--port", str(port), home=home, core=self.core)
            try:
                wait_for(f"http://127.0.0.1:{port}/-/healthz")
                yield port, self.with_database(lambda: tree_cpu_s(web.pid))
            finally:
                stop(web)


def _counted(port: int) -> dict[str, float]:
    """Return how many answers of the website came from where, so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.findall(r'^site_cache_answers_total\{state="(\w+)"\} ([\d.e+]+)', text, re.MULTILINE)
    return {state: float(count) for state, count in found}


async def _statements(app: App) -> int:
    """Return how many named statements of the website PostgreSQL has run so far."""
    connection = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        counted = await connection.fetchval(
            "select coalesce(sum(calls), 0)::bigint from pg_stat_statements where query like '%site.%'"
        )
        return int(counted)
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
