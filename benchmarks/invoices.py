"""`make bench NAME=invoices`: the playbook's L2 on the whole app: 75 % reads, 20 % edits, 5 % of high value.

The gauntlet's own named load at 200 requests a second for a minute, every total of every answer recomputed by an
engine that shares no code with the app's, every created invoice sent twice under its key. Afterwards drafts that the
load left are issued and all numbers audited. PostgreSQL runs with fsync, full_page_writes and synchronous_commit on;
two tenants of some thousand invoices each.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.app import App, cpu_s, running_app, samples_of
from benchmarks.report import Report, publish
from shipworthy.contract.manifest import Journey
from shipworthy.contract.strict import encode
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.named.invoices import DUPLICATE, LOST, WRONG_TOTAL
from shipworthy.gauntlet.load.plan import LoadPlan, LoadUser, mixed
from shipworthy.gauntlet.load.process import run_in_process
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.probes.invoice_load import WEIGHTS
from shipworthy.judge.validity import is_run_valid

RATE_PER_S = float(os.environ.get("RATE", "200"))
BLOCKS, BLOCK_S = 20, 3.0
ISSUED = 200
_BOUNDS = {
    "rate_per_s": "200 asked",
    "create_p95_ms": "700 owed, 50 aimed",
    "edit_p95_ms": "700 owed",
    "list_p95_ms": "25 aimed",
    "duplicates": "0 owed",
    "gaps": "0 owed",
    "wrong_totals": "0 owed",
    "errors": "0 owed",
}


def main() -> None:
    with running_app(rooms="invoicing", seed="volume") as app:
        before = {name: cpu_s(app.pid(name)) for name in ("web", "worker")}
        result = run_in_process(_plan(app))
        spent = {name: cpu_s(app.pid(name)) - was for name, was in before.items()}
        gaps, twice = asyncio.run(_numbers(app))
    publish(_report(result, spent, gaps, twice), bounds=_BOUNDS)


def _plan(app: App) -> LoadPlan:
    load = next(load for load in app.manifest.loads if load.kind == "invoices")
    oracle = next(oracle for oracle in app.manifest.oracles if oracle.kind == "invoice_totals")
    parts = [
        Journey(name=part, slo=load.slos[part], rate_per_s=1.0, login=True, code=f"invoices.py:{part}")
        for part in WEIGHTS
    ]
    return LoadPlan(
        name="invoices",
        base_url=app.handle.base_url,
        journeys=mixed(parts, rate_per_s=RATE_PER_S, weights=WEIGHTS),
        slos=app.manifest.slos,
        users=tuple(LoadUser(credential=p, samples=samples_of(app, p)) for p in app.handle.tenants),
        login=app.manifest.login,
        code_folder=str(Path(named.__file__).parent),
        facts={"load": encode(load), "oracle": json.dumps(encode(oracle))},
        blocks=BLOCKS,
        block_s=BLOCK_S,
        warmup_s=5.0,
    )


def _report(result: LoadResult, spent: dict[str, float], gaps: int, twice: int) -> Report:
    observed = {
        code: sum(j.observed.get(code, 0) for j in result.journeys) for code in (WRONG_TOTAL, DUPLICATE, LOST)
    }
    failures = [f"{j.journey}: {n} times {code}" for j in result.journeys for code, n in j.failures.items()]
    requests = sum(j.requests for j in result.journeys)
    figures: dict[str, float] = {
        "rate_per_s": round(requests / (BLOCKS * BLOCK_S), 1),
        **{
            f"{name}_p95_ms": round(result.journey(part).latency_ms(0.95), 2)
            for name, part in (("create", "create"), ("edit", "edit"), ("list", "read"))
        },
        "duplicates": observed[DUPLICATE] + twice,
        "gaps": gaps,
        "wrong_totals": observed[WRONG_TOTAL],
        "errors": observed[LOST] + sum(sum(j.failures.values()) for j in result.journeys),
        "web_cpu_us_per_request": round(spent["web"] / max(result.offered, 1) * 1e6, 1),
        "worker_cpu_s": round(spent["worker"], 2),
    }
    valid = all(is_run_valid([block.void for block in j.blocks]) for j in result.journeys)
    notes = [*failures, f"the generator was within {result.lag_ms_p99:.2f} ms of the intended moment (p99)"]
    return Report(name="invoices", figures=figures, valid=valid, notes=notes)


async def _numbers(app: App) -> tuple[int, int]:
    """Issue drafts of every tenant, sixteen at once; return gaps and duplicates among all numbers."""
    found = [await _numbers_of(app, person) for person in app.handle.tenants]
    return sum(gaps for gaps, _ in found), sum(twice for _, twice in found)


async def _numbers_of(app: App, person: Credential) -> tuple[int, int]:
    drafts = [
        row["invoice_id"]
        for row in await _rows(
            app, person, f"select invoice_id from invoice where status = 'draft' limit {ISSUED}"
        )
    ]
    session = HttpSession(app.handle.base_url)
    assert app.manifest.login is not None
    await sign_in(session, app.manifest.login, person)
    places = asyncio.Semaphore(16)

    async def issue(invoice_id: uuid.UUID) -> None:
        async with places:
            path, key = (
                f"/api/invoices/{invoice_id}/finalise",
                {"idempotency-key": str(uuid.uuid4()), "if-match": "*"},
            )
            answer = await session.request("POST", path, json_body={}, headers=key)
            assert answer.status == 200, answer.text

    await asyncio.gather(*map(issue, drafts))
    await session.close()
    sql = """select coalesce(sum(last - first + 1 - kinds), 0)::int as gaps, coalesce(sum(n - kinds), 0)::int as twice from (
      select min(seq) as first, max(seq) as last, count(distinct seq) as kinds, count(*) as n
      from invoice where seq is not null group by series_id, period) as series"""
    (row,) = await _rows(app, person, sql)
    return row["gaps"], row["twice"]


async def _rows(app: App, person: Credential, sql: str) -> list[Any]:
    connection = await asyncpg.connect(app.handle.database_urls["app"])
    try:
        async with connection.transaction():
            await connection.execute("select set_config('app.realm_id', $1, true)", person.realm_id)
            await connection.execute("select set_config('app.tenant_id', $1, true)", person.tenant_id)
            return list(await connection.fetch(sql))
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
