"""X1: does the app hold on to memory, request by request, until it is killed for it?

Reading requests are sent in blocks of a fixed number; after each block, when nothing is under way,
the memory of the web process and its children is read. After a warm-up come three phases. A heap
that has still to fill its caches flattens out, a leak does not: judged are the last two phases
together, and the last one alone may acquit. Every other request asks for an address that does not
exist, each another one: a cache or a metric by raw address grows by these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import Call, prepare, samples_of, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.probes.process_tree import anonymous_bytes
from shipworthy.judge.slope import Slope, theil_sen

SUBJECT = "the web process"
# 1 KiB a request is a gigabyte in a million requests. The heap of our own app, which keeps nothing,
# grew by 26 to 40 bytes over these phases (2026-11): fragments and statistics.
BOUND_BYTES = 1_024
BLOCK_REQUESTS = 200
WARM_BLOCKS = 5
PHASE_BLOCKS = 10  # 2,000 requests
PHASES = 3
EXTRA_PHASES = 2  # once, where the slope is on both sides of the bound
AT_ONCE = 8
STRANGE_EVERY = 2  # every other request asks for an address nobody has
CONFIDENCE = 0.98  # 1 % on either side
TRACED_ROUTES_MAX = 12
REFUSED_SHARE_MAX = 0.2  # of requests that failed as a server; more is not the app's usual work


@dataclass(frozen=True)
class _Ask:
    """One request that succeeded, and as whom it is sent."""

    name: str
    call: Call
    session: HttpSession


@dataclass
class _Curve:
    """What was read: (requests so far, bytes), one point a block, the warm-up left out."""

    points: list[tuple[float, float]] = field(default_factory=list)
    sent: int = 0
    failed: int = 0

    def phase(self, number: int) -> list[tuple[float, float]]:
        return self.points[number * PHASE_BLOCKS : (number + 1) * PHASE_BLOCKS]

    @property
    def phases(self) -> int:
        return len(self.points) // PHASE_BLOCKS


async def memory_slope(exam: Exam) -> Sequence[Finding]:
    """Return one finding about the web process."""
    asks = await _asks(exam)
    pids = _web_pids(exam)
    curve = _Curve()
    for _ in range(WARM_BLOCKS):
        await _block(asks, curve)
    await _phases(exam, asks, pids, curve, PHASES)
    verdict = verdict_of(curve.points)
    if verdict is Verdict.INCONCLUSIVE:
        await _phases(exam, asks, pids, curve, EXTRA_PHASES)
        verdict = verdict_of(curve.points)
    by_route = await _by_route(asks, pids) if verdict is Verdict.FAIL else []
    if _web_pids(exam) != pids:
        raise Undecided("The web process was started again while it was watched.")
    return [_judged(exam, curve, verdict, by_route)]


def _web_pids(exam: Exam) -> list[int]:
    return sorted(process.pid for process in exam.handle.processes if process.name == "web")


async def _asks(exam: Exam) -> list[_Ask]:
    """Return every reading request that succeeds, as whoever may send it."""
    person = exam.people[0] if exam.can("login", "tenants.1") else None
    front = Route(name="", room="", method="GET", path="/", auth="public", media="html", statuses=(200, 303))
    routes = {"GET /": front} | {
        subject_of(route): route
        for route in exam.manifest.routes
        if route.method == "GET" and (route.host != "site" or exam.can("site"))
    }
    anonymous = exam.anonymous()
    found = []
    for name, route in routes.items():
        with suppress(Undecided):
            if ask := await _ask_of(exam, name, route, person, anonymous):
                found.append(ask)
    if not found:
        raise Undecided("No reading request succeeds, so nothing can be repeated.")
    return found


async def _ask_of(
    exam: Exam, name: str, route: Route, person: Credential | None, anonymous: HttpSession
) -> _Ask | None:
    """Errors: Undecided when a sample is missing or nothing answers."""
    if route.auth == "session" and person is None:
        return None
    samples = await exam.samples_for(person) if person and samples_of(route) else {}
    call = prepare(route, samples)
    answer = await ask_route(exam, call, person if route.auth == "session" else None)
    if answer.status not in route.statuses:
        return None
    session = await exam.session(person) if person and route.auth == "session" else anonymous
    return _Ask(name, call, session)


async def _phases(exam: Exam, asks: list[_Ask], pids: list[int], curve: _Curve, phases: int) -> None:
    total = phases * PHASE_BLOCKS
    for number in range(total):
        exam.view.progress(number, total, f"{curve.sent:,} requests")
        await _block(asks, curve)
        curve.points.append((float(curve.sent), float(anonymous_bytes(pids))))
    if curve.failed > curve.sent * REFUSED_SHARE_MAX:
        raise Undecided(
            f"{curve.failed:,} of {curve.sent:,} requests failed or got no answer, so this is not the app's usual work."
        )


async def _block(asks: list[_Ask], curve: _Curve, *, is_strange: bool = True) -> None:
    """Send one block, so many at once, and wait until all are answered."""
    numbers = iter(range(curve.sent, curve.sent + BLOCK_REQUESTS))

    async def one_after_another() -> None:
        for number in numbers:
            ask = asks[number % len(asks)]
            call = ask.call
            if is_strange and number % STRANGE_EVERY == 0:
                call = Call(method="GET", path=f"/shipworthy-nowhere-{number}")
            try:
                answer = await call.send(ask.session)
                curve.failed += answer.status >= 500 or answer.status == 429
            except Unanswered:
                curve.failed += 1
            curve.sent += 1

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def _slopes(points: Sequence[tuple[float, float]]) -> tuple[Slope, Slope]:
    """Return the slope of the last two phases together, and that of the last one."""
    both, last = points[-2 * PHASE_BLOCKS :], points[-PHASE_BLOCKS:]
    return theil_sen(both, confidence=CONFIDENCE), theil_sen(last, confidence=CONFIDENCE)


def verdict_of(points: Sequence[tuple[float, float]]) -> Verdict:
    """Return whether a curve of (requests, bytes) grows: the last phase alone may acquit."""
    both, last = _slopes(points)
    if both.high <= BOUND_BYTES or last.high <= BOUND_BYTES:
        return Verdict.PASS
    if both.low > BOUND_BYTES and last.estimate > BOUND_BYTES:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


async def _by_route(asks: list[_Ask], pids: list[int]) -> list[tuple[str, str]]:
    """Return how many bytes each request costs when it is the only one: where to look first."""
    grown = []
    for ask in asks[:TRACED_ROUTES_MAX]:
        before = anonymous_bytes(pids)
        await _block([ask], _Curve(), is_strange=False)
        grown.append((anonymous_bytes(pids) - before, ask.name))
    before = anonymous_bytes(pids)
    strange = [
        _Ask("", Call(method="GET", path=f"/shipworthy-nobody-{n}"), asks[0].session)
        for n in range(BLOCK_REQUESTS)
    ]
    await _block(strange, _Curve(), is_strange=False)
    grown.append((anonymous_bytes(pids) - before, "addresses nobody has"))
    return [(f"{size / BLOCK_REQUESTS:,.0f}", name) for size, name in sorted(grown, reverse=True)]


def _judged(exam: Exam, curve: _Curve, verdict: Verdict, by_route: list[tuple[str, str]]) -> Finding:
    both, _last = _slopes(curve.points)
    measure = Measure(
        name="growth",
        unit="bytes",
        estimate=round(both.estimate, 1),
        low=round(both.low, 1),
        high=round(both.high, 1),
        bound=BOUND_BYTES,
        samples=both.points,
        method=f"per request; Theil-Sen over blocks of {BLOCK_REQUESTS}, the last two of {curve.phases} phases",
    )
    rows = [
        (
            f"{number + 1}",
            f"{points[-1][0]:,.0f}",
            f"{points[0][1] / 2**20:.1f}",
            f"{points[-1][1] / 2**20:.1f}",
        )
        for number in range(curve.phases)
        if (points := curve.phase(number))
    ]
    evidence = [
        table_evidence("Memory by phase", ("phase", "requests", "MiB at its start", "at its end"), rows)
    ]
    if by_route:
        header = ("bytes a request", "asked alone")
        evidence.insert(0, table_evidence(f"{BLOCK_REQUESTS} requests of each", header, by_route))
    facts = {"measures": (measure,), "evidence": tuple(evidence)}
    if verdict is Verdict.PASS:
        title = f"Memory stands still over {curve.sent:,} requests"
        return exam.finding(SUBJECT, verdict, title, severity=Severity.LOW, **facts)
    if verdict is Verdict.INCONCLUSIVE:
        return exam.finding(
            SUBJECT,
            verdict,
            f"Whether memory grows over {curve.sent:,} requests could not be decided",
            cause=f"Between {both.low:,.0f} and {both.high:,.0f} bytes a request; the bound is {BOUND_BYTES:,}.",
            fix="Run it alone on a quieter machine: shipworthy gauntlet --only memory.slope",
            **facts,
        )
    heaviest = f" Most of it by {by_route[0][1]}." if by_route else ""
    return exam.finding(
        SUBJECT,
        verdict,
        f"Memory grows by about {both.estimate:,.0f} bytes with each request",
        cause=f"Over {curve.sent:,} reading requests it never stopped growing: {both.low:,.0f} to {both.high:,.0f} bytes "
        f"a request, which is {both.estimate * 1e6 / 2**30:.1f} GiB in a million.{heaviest}",
        fix="Look for what is kept for each request: a cache or dict without a bound, a metric labelled with raw "
        "addresses, a listener added and never removed. In Python compare two tracemalloc snapshots, in Node two "
        "heap snapshots, taken 1,000 requests apart.",
        **facts,
    )
