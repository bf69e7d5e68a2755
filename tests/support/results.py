"""Results for tests and screenshots: runs of the gauntlet as they come out in practice.

Curves are drawn from seeded random numbers, so every call returns the same run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from shipworthy.contract.finding import (
    Distribution,
    Evidence,
    Finding,
    GateErrorRates,
    Measure,
    RunResult,
    Series,
)
from shipworthy.contract.verdict import Severity, Verdict

HOSTILE = """</pre></details><script>alert(1)</script><img src=x onerror=alert(2)>"'`&{{7*7}}${7*7}\x1b[2J\x1b]0;x\x07\u202e"""

_JOURNEYS = (("login", 200.0, 9.0, 62.0), ("invoice_create", 700.0, 8.0, 48.0), ("page", 150.0, 24.0, 6.0))
_QUERIES = (
    "auth.session_by_token",
    "auth.credential_by_email",
    "invoicing.customer_list",
    "invoicing.invoice_list_by_status",
    "invoicing.invoice_by_id",
    "invoicing.line_list",
    "invoicing.number_next",
    "site.page_by_path",
    "site.redirect_by_path",
    "site.sitemap_pages",
)
_ROUTES = (
    "GET /api/invoices",
    "POST /api/invoices",
    "GET /api/customers",
    "POST /login",
    "GET /",
    "GET /about",
)


def every_result() -> dict[str, RunResult]:
    """Return one run of every kind a reader may meet, by a short name."""
    return {
        "pass": passing_result(),
        "full": full_result(),
        "fail": failing_result(),
        "inconclusive": inconclusive_result(),
        "stranger": stranger_result(),
        "invalid": invalid_result(),
        "partial": partial_result(),
        "pages": pages_result(),
        "hostile": hostile_result(),
        "nothing": run_result(findings=()),
    }


def run_result(*, findings: Sequence[Finding], **changes: Any) -> RunResult:
    """Return a quick run of Acme with these findings and nothing else, changed as asked."""
    facts: dict[str, Any] = {
        "run_id": "20260727-140312-7f3a",
        "target": "Acme",
        "mode": "quick",
        "started_at": "2026-07-27T14:03:12Z",
        "duration_s": 161.4,
        "version": "0.1.0",
        "commit": "5d1c0be",
        "machine": {
            "cpu": "AMD EPYC 7B13, 2 cores",
            "memory": "8.0 GB",
            "system": "Linux 6.8, Python 3.11.9",
            "database": "PostgreSQL 18.6, fsync on",
            "pressure": "0.4 % some, 0.1 % steal",
        },
    }
    return RunResult(**{**facts, "findings": tuple(findings), **changes})


def finding(check: str, subject: str, title: str, verdict: Verdict = Verdict.PASS, **more: Any) -> Finding:
    """Return a finding of the stage its check belongs to."""
    stages = {"slo": "load", "drill": "drills", "plans": "data", "integrity": "data", "budget": "budgets"}
    stage = stages.get(check.split(".", maxsplit=1)[0], "requests")
    return Finding(check=check, subject=subject, title=title, verdict=verdict, **{"stage": stage, **more})


def passing_result() -> RunResult:
    return run_result(
        findings=(
            *_plans(),
            *_integrity(),
            *_requests(),
            *_budgets(),
            *_objectives(),
            *_drills(),
            *_unmeasured(),
        ),
        series=_series(),
        distributions=_distributions(),
        error_rates=gate_error_rates(),
    )


def full_result() -> RunResult:
    """A full run in which everything held and everything was measured: what a release looks like."""
    held = [f for f in passing_result().findings if f.verdict is Verdict.PASS]
    long = _series(seconds=1200, marks=((410.0, "PDF worker killed"), (760.0, "Database slowed by 100 ms")))
    return run_result(
        findings=held,
        mode="full",
        duration_s=1421.0,
        series=long,
        distributions=_distributions(),
        error_rates=gate_error_rates(),
    )


def failing_result() -> RunResult:
    base = passing_result()
    wrong = {f.id: f for f in (_n_plus_one(), _leak(), _slow_login(), _lost_job())}
    kept = [wrong.pop(f.id, f) for f in base.findings]
    slow = _distribution("login", 200.0, median_ms=118.0, spread=0.55)
    return run_result(
        findings=(*kept, *wrong.values()),
        series=base.series,
        distributions=(slow, *base.distributions[1:]),
        error_rates=base.error_rates,
    )


def inconclusive_result() -> RunResult:
    base = passing_result()
    close = finding(
        "slo.login",
        "login",
        "95 % of logins within 200 ms",
        Verdict.INCONCLUSIVE,
        cause="After 48 blocks the interval still holds the bound: 3.8 to 6.4 % of logins took longer than "
        "200 ms, and 5 % may. The machine was busy with other work for a third of the run.",
        fix="Run it again on a quieter machine, or with --full, which measures ten times as long.",
        measures=_objective_measures(0.051, 0.038, 0.064, samples=3612, p95_ms=203.0, bound_ms=200.0),
    )
    return run_result(
        findings=[close if f.id == close.id else f for f in base.findings],
        series=base.series,
        distributions=(_distribution("login", 200.0, median_ms=78.0, spread=0.58), *base.distributions[1:]),
        error_rates=base.error_rates,
    )


def stranger_result() -> RunResult:
    """An app that is not ours, with a start command and nothing else: most cannot be measured."""
    no_database = "gauntlet.toml names no database, so its queries and rows cannot be seen."
    no_tenants = "gauntlet.toml names no two people of different tenants."
    no_faults = "allow_faults is not set, so nothing of this app may be stopped."
    unseen: list[Finding] = [
        *(
            _unseen(c, s, no_database, 'Add database = "postgresql://…" to [target].')
            for c, s in _DATABASE_CHECKS
        ),
        *(_unseen(c, s, no_tenants, "Add two [[credential]] sections.") for c, s in _TENANT_CHECKS),
        *(
            _unseen(c, s, no_faults, "Set allow_faults = true, on a copy that may break.")
            for c, s in _FAULT_CHECKS
        ),
    ]
    page = finding(
        "slo.page",
        "home",
        "95 % of page views within 300 ms",
        measures=_objective_measures(0.004, 0.001, 0.011, samples=1440, p95_ms=88.0, bound_ms=300.0),
    )
    seen = (
        page,
        finding(
            "budget.page_bytes",
            "/",
            "The page weighs what it may",
            measures=(_count("bytes", 48_200, 200_000),),
        ),
        finding(
            "headers.session_cookie", "POST /login", "The session cookie is HttpOnly, Secure and SameSite"
        ),
        finding("idempotency.same_key_twice", "POST /orders", "The same key twice makes one order"),
    )
    return run_result(
        findings=(*seen, *unseen),
        target="orders-demo",
        commit="",
        duration_s=94.0,
        series=_series(journeys=(("home", 300.0, 20.0, 21.0),), marks=()),
        distributions=(_distribution("home", 300.0, median_ms=21.0, spread=0.5),),
        error_rates=gate_error_rates(),
    )


def invalid_result() -> RunResult:
    base = passing_result()
    return run_result(
        findings=base.findings,
        series=base.series,
        distributions=base.distributions,
        valid=False,
        notes=(
            "The load generator was late in 9 of 24 blocks (p99 41 ms, 5 ms allowed)",
            "It was repeated once, as the rules say, and was late again.",
        ),
    )


def partial_result() -> RunResult:
    return run_result(findings=(_n_plus_one(),), mode="partial", duration_s=6.2)


def pages_result() -> RunResult:
    """A full run that looked at pages in a browser, one of which moves."""
    return run_result(findings=(*full_result().findings, *_vitals()), mode="full", duration_s=1421.0)


def hostile_result() -> RunResult:
    """Everything the examined app can put into a report tries to break out of it."""
    evil = Finding(
        check="integrity.tenant_leak",
        subject=HOSTILE,
        stage=HOSTILE,
        verdict=Verdict.FAIL,
        title=HOSTILE,
        cause=HOSTILE,
        fix=HOSTILE,
        source=HOSTILE,
        playbook=(HOSTILE,),
        measures=(
            Measure(
                name=HOSTILE, unit=HOSTILE, estimate=2, bound=1, low=1, high=3, samples=9, method=HOSTILE
            ),
        ),
        evidence=(Evidence(kind=HOSTILE, title=HOSTILE, text=HOSTILE),),
    )
    objective = finding("slo.evil", HOSTILE, HOSTILE, measures=evil.measures)
    drill = finding("drill.evil", HOSTILE, HOSTILE, Verdict.NOT_MEASURED, cause=HOSTILE, fix=HOSTILE)
    curve = Series(
        journey=HOSTILE,
        latency_ms_p50=(1.0, 2.0),
        latency_ms_p95=(2.0, 3.0),
        requests=(5, 5),
        failures=(0, 1),
        marks=((1.0, HOSTILE),),
    )
    return run_result(
        findings=(evil, objective, drill),
        target=HOSTILE,
        version=HOSTILE,
        commit=HOSTILE,
        run_id=HOSTILE,
        machine={HOSTILE: HOSTILE},
        series=(curve,),
        distributions=(Distribution(journey=HOSTILE, threshold_ms=2.0, points=((1.0, 0.5), (3.0, 1.0))),),
        error_rates=(GateErrorRates(rule=HOSTILE, false_pass={HOSTILE: 0.1}, source=HOSTILE),),
        notes=(HOSTILE,),
    )


def gate_error_rates() -> tuple[GateErrorRates, ...]:
    return (
        GateErrorRates(
            rule="R1, p95 over 24 and 48 blocks",
            false_pass={"quiet": 0.0, "overdispersed": 0.002, "bursty": 0.097},
            false_fail={"quiet": 0.011, "overdispersed": 0.018, "bursty": 0.041},
            source="make bench NAME=judge, 10,000 runs per cell, 2-core machine class",
        ),
    )


def _plans() -> list[Finding]:
    return [
        finding(
            "plans.index_used",
            name,
            f"{name} uses its index as the app's own role",
            source=f"rooms/{name.split('.')[0]}/queries.sql:{12 + 9 * n}",
            playbook=("P6",),
            measures=(_count("rows", 12 + n, 50),),
        )
        for n, name in enumerate(_QUERIES)
    ]


def _integrity() -> list[Finding]:
    tables = ("customer", "invoice", "invoice_line", "document", "page", "audit", "membership")
    return [
        finding("integrity.tenant_leak", t, f"One tenant cannot read another's rows in {t}", playbook=("T1",))
        for t in tables
    ] + [
        finding("integrity.row_policy", t, f"{t} forces row-level security", playbook=("T1",)) for t in tables
    ]


def _requests() -> list[Finding]:
    return [
        *(
            finding(
                "idempotency.same_key_twice",
                r,
                f"{r} sent twice with one key has one effect",
                playbook=("L2",),
            )
            for r in _ROUTES
            if r.startswith("POST /api")
        ),
        *(
            finding(
                "integrity.foreign_id", r, f"{r} answers a foreign id like a missing one", stage="requests"
            )
            for r in _ROUTES
        ),
        finding(
            "auth.throttle", "POST /login", "Wrong passwords are slowed after 20 attempts", playbook=("P8",)
        ),
        finding(
            "money.totals", "POST /api/invoices", "300 invoices agree with exact arithmetic", playbook=("L2",)
        ),
        *(
            finding("site.crawl", s, f"{s} is right for search engines", playbook=("P9", "L3"))
            for s in ("canonical", "robots.txt", "sitemap.xml", "ETag")
        ),
    ]


def _budgets() -> list[Finding]:
    return [
        *(
            finding(
                "budget.queries_per_route",
                route,
                f"{route} stays within its query budget",
                playbook=("P4",),
                measures=(_count("queries", 2 + n % 4, 6),),
            )
            for n, route in enumerate(_ROUTES)
        ),
        finding(
            "budget.page_bytes",
            "/",
            "The home page weighs what it may",
            measures=(_count("bytes", 41_200, 60_000),),
        ),
        finding(
            "budget.cold_start",
            "web",
            "The app answers soon after its start",
            playbook=("P4",),
            measures=(
                Measure(name="cold start", unit="s", estimate=0.83, low=0.79, high=0.9, bound=2.0, samples=5),
            ),
        ),
    ]


def _objectives() -> list[Finding]:
    facts = {
        "login": ("95 % of logins within 200 ms", (0.004, 0.001, 0.009), 648, 96.0),
        "invoice_create": ("95 % of invoices created within 700 ms", (0.0, 0.0, 0.005), 576, 81.0),
        "page": ("95 % of page views within 150 ms", (0.012, 0.006, 0.021), 1728, 22.0),
    }
    bounds = {name: bound_ms for name, bound_ms, _, _ in _JOURNEYS}
    return [
        finding(
            f"slo.{name}",
            name,
            title,
            playbook=("P1", "P2", "P3"),
            measures=_objective_measures(*interval, samples=samples, p95_ms=p95_ms, bound_ms=bounds[name]),
        )
        for name, (title, interval, samples, p95_ms) in facts.items()
    ]


def _vitals() -> list[Finding]:
    """A page that moves on the phone, and two that are as they should be."""
    moved = (780.0, 0.31, 624.0, 9.0, 0.0)
    still = (212.0, 0.0, 212.0, 14.0, 0.0)
    return [
        finding(
            "vitals.lab", "GET / (site, phone)", "GET / (site, phone): CLS 0.31, where 0.1 are allowed", Verdict.FAIL,
            cause="CLS 0.31, where 0.1 are allowed. What moved: main.", measures=_vitals_measures(*moved),
            fix="Give images, frames and what comes late its width and height.",
        ),
        finding(
            "vitals.lab", "GET /invoices (desktop)", "GET /invoices (desktop) is quick and stands still",
            measures=_vitals_measures(*still),
        ),
        finding(
            "vitals.under_load", "GET /invoices", "GET /invoices stays quick and still at 50 arrivals/s",
            measures=_vitals_measures(*still)[:2],
        ),
    ]  # fmt: skip


def _vitals_measures(*values: float) -> tuple[Measure, ...]:
    names = ("LCP", "CLS", "FCP", "TTFB", "TBT")
    bounds = (2_500.0, 0.1, 1_800.0, 150.0, 200.0)
    return tuple(
        Measure(name=name, unit="" if name == "CLS" else "ms", estimate=value, bound=bound, samples=3)
        for name, value, bound in zip(names, values, bounds, strict=True)
    )


def _objective_measures(
    estimate: float, low: float, high: float, *, samples: int, p95_ms: float, bound_ms: float
) -> tuple[Measure, ...]:
    return (
        Measure(
            name=f"requests slower than {bound_ms:.0f} ms",
            unit="share",
            estimate=estimate,
            low=low,
            high=high,
            bound=0.05,
            samples=samples,
            method="R1, 24 blocks of 3 s",
        ),
        Measure(name="p95", unit="ms", estimate=p95_ms, bound=bound_ms, samples=samples),
    )


def _drills() -> list[Finding]:
    return [
        finding(
            "drill.pdf_worker_killed",
            "invoice_pdf",
            "The PDF worker is killed under load: nothing lost, nothing doubled",
            playbook=("L4", "P7"),
            measures=(
                _count("lost", 0, 0, unit="jobs"),
                _count("doubled", 0, 0, unit="jobs"),
                Measure(name="recovery", unit="s", estimate=6.2, bound=30.0),
            ),
        ),
        finding(
            "drill.database_restarted",
            "database",
            "The database restarts: requests fail typed, then recover",
            playbook=("L4",),
            measures=(
                _count("untyped errors", 0, 0, unit="errors"),
                Measure(name="recovery", unit="s", estimate=2.9, bound=30.0),
            ),
        ),
    ]


def _unmeasured() -> list[Finding]:
    no_browser = "No Chromium was found on this machine."
    fix = "Install Chromium, or set SHIPWORTHY_CHROMIUM to its path."
    return [
        _unseen("browser.web_vitals", "/", no_browser, fix),
        _unseen("browser.flow", "sign-up to published page", no_browser, fix),
        _unseen(
            "drill.keys_expired",
            "oauth",
            "The app declares no OAuth keys.",
            "Nothing to do until the app offers OAuth sign-in.",
        ),
    ]


def _n_plus_one() -> Finding:
    statement = "select id, position, text, quantity, unit_minor\n  from invoice_line\n where invoice_id = $1\n order by position"
    return finding(
        "budget.queries_per_route",
        "GET /api/invoices",
        "The invoice list repeats one query 50 times per request",
        Verdict.FAIL,
        severity=Severity.HIGH,
        cause="The lines of every invoice are fetched one invoice at a time. The list of 50 invoices runs "
        "52 statements; the route declares 6. At 500 invoices it would run 502.",
        fix="Fetch the lines of the whole page at once: where invoice_id = any($1), then group them in memory. "
        "In queries.sql: invoicing.line_list_of_invoices.",
        source="rooms/invoicing/list.py:41",
        playbook=("P4", "X3"),
        measures=(_count("queries", 52, 6), _count("repeats of one statement", 50, 2, unit="times")),
        evidence=(
            Evidence(kind="sql", title="Run 50 times in one request", text=statement),
            Evidence(
                kind="request",
                title="The request",
                text="GET /api/invoices?status=open HTTP/1.1\nHost: app.acme.test\nCookie: session=…",
            ),
        ),
    )


def _leak() -> Finding:
    plan = (
        "Seq Scan on public.document  (cost=0.00..431.00 rows=9000 width=72) (actual rows=9000 loops=1)\n"
        "  Filter: true\n"
        "  Buffers: shared hit=341\n"
        "Policy: document_floor PERMISSIVE FOR ALL TO app USING (true)"
    )
    return finding(
        "integrity.tenant_leak",
        "document",
        "One tenant can read another's documents",
        Verdict.FAIL,
        severity=Severity.CRITICAL,
        cause="The policy document_floor is USING (true): it lets every row through. Signed in as tenant "
        "Borealis, the examiner read 4,500 documents of tenant Acme.",
        fix="alter policy document_floor on document using (tenant_id = "
        "nullif(current_setting('app.tenant_id', true), '')::uuid);",
        source="rooms/invoicing/migrations/0004_pre_documents.up.sql:18",
        playbook=("T1",),
        measures=(_count("foreign rows read", 4500, 0, unit="rows"),),
        evidence=(
            Evidence(
                kind="sql",
                title="Asked as Borealis",
                text="select tenant_id, count(*) from document group by 1",
            ),
            Evidence(
                kind="table", title="Answered", text="tenant_id  count\nacme        4500\nborealis    4500"
            ),
            Evidence(kind="plan", title="The plan", text=plan),
        ),
    )


def _slow_login() -> Finding:
    return finding(
        "slo.login",
        "login",
        "Logins are slower than promised: 16 % took longer than 200 ms",
        Verdict.FAIL,
        severity=Severity.MEDIUM,
        cause="Every login computes the password hash on the request's own thread with 4 lanes on 2 cores; "
        "logins queue behind one another.",
        fix="Set auth.hash_parallelism = 1 and auth.hash_workers = 1, or run `shipworthy calibrate`.",
        source="app.toml:14",
        playbook=("P1",),
        measures=_objective_measures(0.163, 0.121, 0.204, samples=648, p95_ms=287.0, bound_ms=200.0),
    )


def _lost_job() -> Finding:
    return finding(
        "drill.pdf_worker_killed",
        "invoice_pdf",
        "Killing the PDF worker loses the document it was making",
        Verdict.FAIL,
        severity=Severity.HIGH,
        cause="The worker acknowledges the job before it has written the document, so a job that dies in "
        "between is gone.",
        fix="Acknowledge in the transaction that writes the document.",
        source="rooms/invoicing/jobs.py:27",
        playbook=("L4", "P7"),
        measures=(
            _count("lost", 3, 0, unit="jobs"),
            _count("doubled", 0, 0, unit="jobs"),
            Measure(name="recovery", unit="s", estimate=6.4, bound=30.0),
        ),
        evidence=(
            Evidence(
                kind="log",
                title="worker",
                text="14:05:11.204 job 8841 invoice_pdf started\n14:05:11.206 job 8841 acknowledged\n14:05:11.390 killed (signal 9)",
            ),
        ),
    )


_DATABASE_CHECKS = (
    ("plans.index_used", "every query"),
    ("plans.rows_bounded", "every query"),
    ("budget.queries_per_route", "every route"),
    ("integrity.row_policy", "every table"),
    ("idempotency.after_kill", "every POST"),
)
_TENANT_CHECKS = (("integrity.tenant_leak", "every route"), ("integrity.foreign_id", "every route"))
_FAULT_CHECKS = (("drill.worker_killed", "worker"), ("drill.database_restarted", "database"))


def _unseen(check: str, subject: str, cause: str, fix: str) -> Finding:
    title = f"{check.split('.')[1].replace('_', ' ').capitalize()}: {subject}"
    return finding(check, subject, title, Verdict.NOT_MEASURED, cause=cause, fix=fix)


def _count(name: str, estimate: float, bound: float, *, unit: str = "") -> Measure:
    return Measure(name=name, unit=unit or name, estimate=estimate, bound=bound)


def _distributions() -> tuple[Distribution, ...]:
    return tuple(_distribution(name, bound, median_ms=m, spread=0.28) for name, bound, _, m in _JOURNEYS)


def _distribution(journey: str, threshold_ms: float, *, median_ms: float, spread: float) -> Distribution:
    """A lognormal with a tail, as sixty points."""
    points = []
    for n in range(61):
        z = -2.6 + 5.8 * n / 60
        latency = median_ms * math.exp(spread * z * (1.0 if z < 1.6 else 1.0 + 0.22 * (z - 1.6)))
        points.append((round(latency, 3), round(0.5 * (1 + math.erf(z / math.sqrt(2))), 5)))
    return Distribution(
        journey=journey, threshold_ms=threshold_ms, points=(*points[:-1], (points[-1][0], 1.0))
    )


def _series(
    *,
    seconds: int = 72,
    journeys: Sequence[tuple[str, float, float, float]] = _JOURNEYS,
    marks: Sequence[tuple[float, str]] = ((34.0, "PDF worker killed"), (52.0, "Database restarted")),
) -> tuple[Series, ...]:
    draw = random.Random(7)
    return tuple(_one_series(draw, *facts, seconds=seconds, marks=marks) for facts in journeys)


def _one_series(
    draw: random.Random,
    journey: str,
    threshold_ms: float,
    rate: float,
    median_ms: float,
    *,
    seconds: int,
    marks: Sequence[tuple[float, str]],
) -> Series:
    def near(second: int) -> float:
        return max((math.exp(-(second - at) / 2.5) for at, _ in marks if 0 <= second - at < 12), default=0.0)

    def every(of: Callable[[int], float]) -> tuple[float, ...]:
        return tuple(round(of(second), 2) for second in range(seconds))

    return Series(
        journey=journey,
        latency_ms_p50=every(lambda s: median_ms * draw.lognormvariate(0, 0.06) * (1 + near(s))),
        latency_ms_p95=every(lambda s: median_ms * 1.6 * draw.lognormvariate(0, 0.16) * (1 + 2.4 * near(s))),
        requests=tuple(max(0, round(draw.gauss(rate, rate**0.5))) for _ in range(seconds)),
        failures=tuple(round(4 * near(s)) if s >= 52 and journey != "page" else 0 for s in range(seconds)),
        marks=tuple(marks),
    )
