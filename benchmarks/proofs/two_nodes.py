"""`make proof NAME=two-nodes`: is there anything an app keeps in one process? Two web nodes and two workers behind Envoy,
PgBouncer in transaction mode before PostgreSQL, one node and one worker killed under load.

Sixteen people sign in and then make, issue and list invoices through Envoy, each repeating what was cut off with the
same idempotency key. A third of the way in one node is killed with SIGKILL, a little later one worker. Afterwards no
request may have failed but those the node held, every session must still open, every acknowledged invoice be there once
with a number and one PDF, and the numbers have no gap. About a minute and a half.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from tests.support.pgbouncer import PROGRAM as PGBOUNCER
from tests.support.pgbouncer import pgbouncer

from benchmarks.app import App, running_app, stop, wait_for
from benchmarks.report import Figure, Report, publish
from shipworthy.delivery.envoy import program
from shipworthy.gauntlet.http import HttpSession, Unanswered, sign_in
from shipworthy.local.ports import free_port

PEOPLE, LOAD_S, NODE_DIES_S, WORKER_DIES_S = 16, 30.0, 10.0, 14.0
_DRAIN_S_MAX = 90.0
_TRIES = 40
_BOUNDS = {
    "errors_beyond_in_flight": "0 owed",
    "sessions_lost": "0 owed",
    "jobs_lost": "0 owed",
    "jobs_doubled": "0 owed",
    "invoices_lost": "0 owed",
    "invoices_doubled": "0 owed",
    "gaps": "0 owed",
}
_ROLES = ("app", "worker")


@dataclass
class Seen:
    """What the people met."""

    answered: Counter[str] = field(default_factory=Counter)
    cut: list[float] = field(default_factory=list)  # when a request had no answer
    refused: Counter[str] = field(
        default_factory=Counter
    )  # answers of the server's own fault, by what they say
    issued: list[str] = field(default_factory=list)
    under_way: int = 0
    under_way_at_death: int = 0


def main() -> int:
    """Run it; 1 when something was lost, doubled, or failed without being held by the node that died."""
    with running_app(seed="demo") as app, ExitStack() as stack:
        os.kill(app.pid("worker"), signal.SIGSTOP)  # the two of this proof do the work
        stack.callback(os.kill, app.pid("worker"), signal.SIGCONT)
        home, pooled = stack.enter_context(_home(app))
        nodes = [stack.enter_context(_node(app, home, pooled)) for _ in range(2)]
        workers = [stack.enter_context(_ended(app.start("work", home=home, env=pooled))) for _ in range(2)]
        front = stack.enter_context(_front([port for port, _ in nodes]))
        seen = Seen()
        figures = asyncio.run(
            _run(app, f"http://localhost:{front}", seen, nodes=[node for _, node in nodes], workers=workers)
        )
    notes = ["PgBouncer in transaction mode before PostgreSQL"] if pooled else [
        "without PgBouncer: none is installed (apt-get install pgbouncer)"
    ]  # fmt: skip
    notes += [f"{count} times: {said}" for said, count in seen.refused.most_common(5)]
    publish(Report(name="proof-two-nodes", figures=figures, valid=bool(pooled), notes=notes), bounds=_BOUNDS)
    return int(any(figures[name] for name in _BOUNDS))


async def _run(
    app: App,
    url: str,
    seen: Seen,
    *,
    nodes: list[subprocess.Popen[bytes]],
    workers: list[subprocess.Popen[bytes]],
) -> dict[str, Figure]:
    people = [HttpSession(url) for _ in range(PEOPLE)]
    person = app.handle.tenants[0]
    assert app.manifest.login is not None
    for session in people:
        await sign_in(session, app.manifest.login, person)
    draft = next(r for r in app.manifest.routes if (r.method, r.path) == ("POST", "/api/invoices"))
    customer = await _value(app, "select customer_id from customer where tenant_id = $1::uuid limit 1")
    body = {**(draft.example or {}), "customer_id": str(customer)}
    before = await _counts(app)
    until = time.monotonic() + LOAD_S
    working = [asyncio.create_task(_works(session, body, seen, until)) for session in people]
    await asyncio.sleep(NODE_DIES_S)
    seen.under_way_at_death = seen.under_way
    nodes[0].send_signal(signal.SIGKILL)
    await asyncio.sleep(WORKER_DIES_S - NODE_DIES_S)
    workers[0].send_signal(signal.SIGKILL)
    await asyncio.gather(*working)
    lost_sessions = sum([(await session.get("/api/invoices")).status != 200 for session in people])
    for session in people:
        await session.close()
    began = time.monotonic()
    while await _value(
        app, "select count(*) from pgqueuer where entrypoint = 'invoice.pdf' and $1::uuid is not null"
    ):
        if time.monotonic() - began > _DRAIN_S_MAX:
            break
        await asyncio.sleep(0.2)
    after = await _counts(app)
    made = after["issued"] - before["issued"]
    failed = len(seen.cut) + sum(seen.refused.values())
    return {
        "requests": sum(seen.answered.values()),
        "requests_per_s": round(sum(seen.answered.values()) / LOAD_S, 1),
        "cut_off": len(seen.cut),
        "answers_5xx": sum(seen.refused.values()),
        "in_flight_at_death": seen.under_way_at_death,
        "errors_beyond_in_flight": max(0, failed - seen.under_way_at_death),
        "sessions_lost": lost_sessions,
        "issued": len(seen.issued),
        "invoices_lost": max(0, len(seen.issued) - made),
        "invoices_doubled": max(0, made - len(seen.issued)),
        "jobs_lost": after["without_pdf"],
        "jobs_doubled": after["pdf_twice"],
        "gaps": after["gaps"],
        "pdfs_done_after_s": round(time.monotonic() - began, 1),
    }


async def _works(session: HttpSession, body: Mapping[str, Any], seen: Seen, until: float) -> None:
    """Make an invoice, issue it, look at the list: again and again; what is cut off is sent again with its key."""
    while time.monotonic() < until:
        made = await _insist(session, "POST", "/api/invoices", seen, body)
        invoice_id = made["invoice_id"]
        issued = await _insist(session, "POST", f"/api/invoices/{invoice_id}/finalise", seen, {}, match='"1"')
        assert issued["number"], issued
        seen.issued.append(invoice_id)
        await _insist(session, "GET", "/api/invoices", seen, None)


async def _insist(
    session: HttpSession, method: str, path: str, seen: Seen, body: Any, *, match: str = ""
) -> dict[str, Any]:
    headers = {"idempotency-key": str(uuid.uuid4())} if body is not None else {}
    headers |= {"if-match": match} if match else {}
    for _ in range(_TRIES):
        seen.under_way += 1
        try:
            answer = await session.request(method, path, json_body=body, headers=headers)
        except Unanswered:
            seen.cut.append(time.monotonic())
            await asyncio.sleep(0.25)
            continue
        finally:
            seen.under_way -= 1
        if answer.status in (409, 425, 429) and answer.headers.get("retry-after"):
            await asyncio.sleep(0.25)  # the request that was cut off still holds the key
            continue
        if answer.status >= 500:
            seen.refused[f"{answer.status} {answer.text[:120]}"] += 1
            await asyncio.sleep(0.25)
            continue
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path} answers {answer.status}: {answer.text[:300]}")
        seen.answered[method] += 1
        found: dict[str, Any] = answer.json
        return found
    raise RuntimeError(f"{method} {path} was not answered in {_TRIES} tries")


async def _counts(app: App) -> dict[str, int]:
    """What stands in the books of the tenant: issued invoices, those without a PDF or with two, and gaps."""
    sql = """select
      (select count(*) from invoice where tenant_id = $1::uuid and seq is not null) as issued,
      (select count(*) from invoice i where i.tenant_id = $1::uuid and i.seq is not null and not exists (
        select from invoice_document d where d.tenant_id = i.tenant_id and d.invoice_id = i.invoice_id)) as without_pdf,
      (select count(*) from (select from invoice_document where tenant_id = $1::uuid
        group by invoice_id, kind having count(*) > 1) as twice) as pdf_twice,
      (select coalesce(sum(gap), 0) from (select max(seq) - min(seq) + 1 - count(distinct seq) as gap from invoice
        where tenant_id = $1::uuid and seq is not null group by series_id, period) as of_series) as gaps"""
    row = await _value(app, sql, is_row=True)
    return {name: int(value) for name, value in row.items()}


async def _value(app: App, sql: str, *, is_row: bool = False) -> Any:
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        if is_row:
            return await admin.fetchrow(sql, app.handle.tenants[0].tenant_id)
        return await admin.fetchval(sql, app.handle.tenants[0].tenant_id)
    finally:
        await admin.close()


@contextmanager
def _home(app: App) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the folder of further processes, and what leads them to the database by way of PgBouncer; empty without one."""
    if PGBOUNCER is None:
        yield app.home, {}
        return
    urls = app.handle.database_urls
    logins = {
        parts.username or "": parts.password or ""
        for parts in (urlsplit(url) for role, url in urls.items() if role in _ROLES)
    }
    home = app.home.with_name("nodes")
    shutil.copytree(app.home, home, ignore=shutil.ignore_patterns(".shipworthy"))
    with (home / "app.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[db]\npooling = "transaction"\n')
    with pgbouncer(urls["admin"], logins=logins, connections=12) as pooler:
        pooled = {f"SHIPWORTHY_DB_URL_{role.upper()}": pooler.url(urls[role]) for role in _ROLES}
        yield home, pooled | {f"SHIPWORTHY_DB_URL_{role.upper()}_DIRECT": urls[role] for role in _ROLES}


@contextmanager
def _node(app: App, home: Path, pooled: Mapping[str, str]) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    with _ended(app.start("serve", "--port", str(port), home=home, env=pooled)) as node:
        wait_for(f"http://127.0.0.1:{port}/-/healthz")
        yield port, node


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        stop(process)


@contextmanager
def _front(ports: list[int]) -> Iterator[int]:
    """Run Envoy before the nodes: each in turn, those that do not answer left out, nothing begun sent twice."""
    port = free_port()
    endpoints = [
        {
            "endpoint": {
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": node}}
            }
        }
        for node in ports
    ]  # fmt: skip
    check = {
        "timeout": "3s", "interval": "0.25s", "unhealthy_threshold": 2, "healthy_threshold": 1,
        "http_health_check": {"path": "/-/healthz"},
    }  # fmt: skip
    nodes = {
        "name": "nodes", "type": "STATIC", "connect_timeout": "1s", "lb_policy": "ROUND_ROBIN",
        "circuit_breakers": {"thresholds": [{"max_retries": 1_000}]},
        "health_checks": [check],
        "load_assignment": {"cluster_name": "nodes", "endpoints": [{"lb_endpoints": endpoints}]},
    }  # fmt: skip
    retry = {"retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 3,
             "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {
                 "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}]}  # fmt: skip
    everybody = {"name": "everybody", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "route": {"cluster": "nodes", "timeout": "0s", "retry_policy": retry}}]}  # fmt: skip
    kind = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "front",
        "route_config": {"name": "front", "virtual_hosts": [everybody]},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{kind}.http.router.v3.Router"}}],
    }  # fmt: skip
    listener = {
        "name": "front", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "envoy.json"
        settings.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": [nodes]}}))
        command = [str(program()), "--config-path", str(settings), "--disable-hot-restart", "--concurrency", "1"]  # fmt: skip
        envoy = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with _ended(envoy):
            wait_for(f"http://localhost:{port}/-/healthz")
            yield port


if __name__ == "__main__":
    sys.exit(main())
