"""`make bench NAME=numbering`: numbers without gaps from one hot series, over HTTP and as bare transactions.

Over HTTP sixteen clients issue drafts of one tenant as fast as they are answered, with all a user gets. The bare
transactions are three ways to number on the same server, with the same work around them (a locked draft, ten
lines, a log row): ours, `max + 1` with a retry when two meet, and `max + 1` under an advisory lock.
PostgreSQL runs with fsync, full_page_writes and synchronous_commit on. About a minute.
"""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import uvloop

from benchmarks.app import App, running_app
from benchmarks.report import Report, publish
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.http import HttpSession, sign_in

CLIENTS = 16
DRAFTS = 960
ROUND_S = 3.0
ROUNDS = 3
_BOUNDS = {
    "finalised_per_s": "300 aimed",
    "late_counter_per_s": "first of the three",
    "gaps": "0 owed",
    "duplicates": "0 owed",
}
_SCRATCH = """
create schema numbering_bench;
create table numbering_bench.counter (id int primary key, next_seq bigint not null) with (fillfactor = 50);
create table numbering_bench.invoice (id uuid primary key, seq bigint unique, status text not null);
create table numbering_bench.line (invoice_id uuid, line_no int, text text, primary key (invoice_id, line_no));
create table numbering_bench.log (id uuid primary key, at timestamptz not null);
insert into numbering_bench.counter values (1, 1);
"""


def main() -> None:
    with running_app(rooms="invoicing", seed="demo") as app:
        figures = uvloop.run(_measured(app))
    publish(Report(name="numbering", figures=figures), bounds=_BOUNDS)


async def _measured(app: App) -> dict[str, float]:
    person = app.handle.tenants[0]
    figures: dict[str, float] = {"finalised_per_s": round(await _finalised_per_s(app, person), 1)}
    figures |= await _audit(app, person)
    admin = await asyncpg.connect(app.handle.database_urls["admin"])
    await admin.execute(_SCRATCH)
    try:
        rates: dict[str, list[float]] = {name: [] for name, _ in _WAYS}
        for number in range(ROUNDS):
            for name, way in _WAYS if number % 2 == 0 else _WAYS[::-1]:
                rates[name].append(await _rate(app, way))
        figures |= {f"{name}_per_s": round(statistics.median(seen), 1) for name, seen in rates.items()}
    finally:
        await admin.execute("drop schema numbering_bench cascade")
        await admin.close()
    return figures


async def _finalised_per_s(app: App, person: Credential) -> float:
    """Create the drafts, unmeasured; then issue them from sixteen connections."""
    ids, cookie = await drafts_of(app, person, DRAFTS)
    began = time.perf_counter()
    await issue_all(app, cookie, ids)
    return len(ids) / (time.perf_counter() - began)


async def drafts_of(app: App, person: Credential, count: int) -> tuple[list[str], str]:
    """Create so many drafts; return their ids, and the person's cookies."""
    session = HttpSession(app.handle.base_url)
    assert app.manifest.login is not None
    await sign_in(session, app.manifest.login, person)
    draft = next(r for r in app.manifest.routes if (r.method, r.path) == ("POST", "/api/invoices"))
    customer = await _value(app, person, "select customer_id from customer limit 1")
    body = {**(draft.example or {}), "customer_id": str(customer)}
    ids = []
    for _ in range(count):
        made = await session.request(
            "POST", "/api/invoices", json_body=body, headers={"idempotency-key": str(uuid.uuid4())}
        )
        assert made.status == 201, made.text
        ids.append(made.json["invoice_id"])
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    await session.close()
    return ids, cookie


async def issue_all(app: App, cookie: str, ids: list[str]) -> None:
    """Issue these drafts from sixteen connections."""
    await asyncio.gather(*(_issue(app, cookie, ids[n::CLIENTS]) for n in range(CLIENTS)))


async def _issue(app: App, cookie: str, ids: list[str]) -> None:
    """One client on one connection: the next request leaves when the last was answered."""
    host, _, port = app.handle.base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for invoice_id in ids:
        writer.write(
            f"POST /api/invoices/{invoice_id}/finalise HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {app.handle.base_url}\r\n"
            f'Cookie: {cookie}\r\nIdempotency-Key: {uuid.uuid4()}\r\nIf-Match: "1"\r\nContent-Type: application/json\r\n'
            "Content-Length: 2\r\n\r\n{}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        answer = await reader.readexactly(length)
        assert head.startswith("http/1.1 200"), (head, answer)
    writer.close()


async def _audit(app: App, person: Credential) -> dict[str, float]:
    """Count what is missing and what stands twice among the numbers that were given."""
    sql = """select coalesce(sum(gaps), 0)::int as gaps, coalesce(sum(duplicates), 0)::int as duplicates from (
      select max(seq) - min(seq) + 1 - count(distinct seq) as gaps, count(*) - count(distinct seq) as duplicates
      from invoice where seq is not null group by series_id, period) as series"""
    row = await _value(app, person, sql, whole=True)
    return dict(row)


async def _value(app: App, person: Credential, sql: str, *, whole: bool = False) -> Any:
    connection = await asyncpg.connect(app.handle.database_urls["app"])
    try:
        async with connection.transaction():
            await connection.execute("select set_config('app.realm_id', $1, true)", person.realm_id)
            await connection.execute("select set_config('app.tenant_id', $1, true)", person.tenant_id)
            return await (connection.fetchrow(sql) if whole else connection.fetchval(sql))
    finally:
        await connection.close()


Way = Callable[[asyncpg.Connection, uuid.UUID], Awaitable[None]]


async def _late_counter(connection: asyncpg.Connection, invoice_id: uuid.UUID) -> None:
    async with connection.transaction():
        await _work(connection, invoice_id)
        await connection.execute(
            "with next as (update numbering_bench.counter set next_seq = next_seq + 1 where id = 1 returning next_seq - 1 as seq)"
            " update numbering_bench.invoice set seq = next.seq, status = 'open' from next where invoice.id = $1",
            invoice_id,
        )


async def _max_plus_one(connection: asyncpg.Connection, invoice_id: uuid.UUID) -> None:
    while True:
        try:
            async with connection.transaction():
                await _work(connection, invoice_id)
                await _take_max(connection, invoice_id)
                return
        except asyncpg.UniqueViolationError:
            continue  # somebody else had the same idea


async def _advisory_lock(connection: asyncpg.Connection, invoice_id: uuid.UUID) -> None:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(7)")
        await _work(connection, invoice_id)
        await _take_max(connection, invoice_id)


async def _work(connection: asyncpg.Connection, invoice_id: uuid.UUID) -> None:
    """What stands around the number in each: the draft locked, its lines written, a log row."""
    await connection.execute(
        "select status from numbering_bench.invoice where id = $1 for update", invoice_id
    )
    await connection.execute(
        "insert into numbering_bench.line select $1, n, 'a line of the invoice' from generate_series(1, 10) n",
        invoice_id,
    )
    await connection.execute("insert into numbering_bench.log values ($1, now())", uuid.uuid4())


async def _take_max(connection: asyncpg.Connection, invoice_id: uuid.UUID) -> None:
    await connection.execute(
        "update numbering_bench.invoice set status = 'open', seq = (select coalesce(max(seq), 0) + 1 from numbering_bench.invoice)"
        " where id = $1",
        invoice_id,
    )


_WAYS: tuple[tuple[str, Way], ...] = (
    ("late_counter", _late_counter),
    ("max_plus_one", _max_plus_one),
    ("advisory_lock", _advisory_lock),
)


async def _rate(app: App, way: Way) -> float:
    """Return how many invoices sixteen connections number in a second this way."""
    connections = [await asyncpg.connect(app.handle.database_urls["admin"]) for _ in range(CLIENTS)]
    await connections[0].execute(
        "truncate numbering_bench.invoice, numbering_bench.line, numbering_bench.log"
    )
    await connections[0].execute("update numbering_bench.counter set next_seq = 1")
    await connections[0].execute(
        "insert into numbering_bench.invoice select gen_random_uuid(), null, 'draft' from generate_series(1, 20000)"
    )
    drafts = [row["id"] for row in await connections[0].fetch("select id from numbering_bench.invoice")]
    done, end = 0, time.perf_counter() + ROUND_S

    async def client(connection: asyncpg.Connection) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await way(connection, drafts.pop())
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(client(connection) for connection in connections))
    took_s = time.perf_counter() - began
    numbered = await connections[0].fetchrow(
        "select count(seq) as n, max(seq) as last from numbering_bench.invoice where seq is not null"
    )
    assert numbered["n"] == numbered["last"] == done, "a number is missing or stands twice"
    await asyncio.gather(*(connection.close() for connection in connections))
    return done / took_s


if __name__ == "__main__":
    main()
