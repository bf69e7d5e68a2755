"""The life of invoices against a plain model of it, under any order of events; and with workers killed on the way.

Covers: settle.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shipworthy.kernel.audit.sealer import seal_due
from shipworthy.kernel.audit.verify import verify_tenant
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_payments import wrongly_settled
from tests.support.app import RunningApp, app_running
from tests.support.deeper import lean

VERBS = (
    "draft",
    "edit",
    "delete",
    "finalise",
    "backdate",
    "close",
    "pay",
    "over",
    "reverse",
    "use",
    "credit",
    "part",
    "void",
    "give up",
)
EVENTS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 2)), min_size=16, max_size=28)
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)  # a backdated invoice falls into this year or into the one before
DAYS_BACK = (1, 9, 70)


@dataclass
class Model:
    """What should be true: plain integers, no database."""

    status: dict[str, str] = field(default_factory=dict)
    gross: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)
    credited: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)  # thirds of the line not credited yet
    payments: dict[str, dict[str, int]] = field(default_factory=dict)  # payment -> invoice -> amount
    rest: dict[str, int] = field(default_factory=dict)  # payment or credit note -> what is left of it
    frozen: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    closed_until: date = date.min
    is_by_date: bool = False  # whether the series of invoices lets no date go back
    last_day: dict[int, date] = field(default_factory=dict)  # year -> the latest date its series has given

    def owed(self, invoice: str) -> int:
        return self.gross[invoice] - self.paid[invoice] - self.credited[invoice]

    def settle(self, invoice: str, *, paid: int = 0, credited: int = 0) -> None:
        self.paid[invoice] += paid
        self.credited[invoice] += credited
        if self.owed(invoice) == 0:
            self.status[invoice] = "paid"
        elif self.status[invoice] == "paid":
            self.status[invoice] = "open"

    def takes_day(self, day: date) -> bool:
        goes_back = self.is_by_date and day < self.last_day.get(day.year, date.min)
        return day > self.closed_until and not goes_back

    def takes_money(self, invoice: str) -> bool:
        return self.status[invoice] in ("open", "uncollectible")


class Life:
    """Every event is asked of the API, and the model says what must come of it."""

    def __init__(self, who: Person, customer_id: str) -> None:
        self.who, self.customer_id, self.model = who, customer_id, Model()

    async def happens(self, verb: str, which: int) -> None:
        if verb == "draft":
            await self.draft()
        elif verb == "close":
            await self.close(which)
        elif verb == "backdate":
            await self.backdate(which)
        elif verb == "reverse":
            await self.reverse(which)
        elif known := list(self.model.status):
            await getattr(self, verb.replace(" ", "_"))(known[which % len(known)])

    async def draft(self) -> None:
        made = await self.who.draft(self.customer_id, lines=[{**LINE, "quantity": "3"}])
        name = made["invoice_id"]
        self.model.status[name], self.model.gross[name] = "draft", made["gross_minor"]
        self.model.paid[name] = self.model.credited[name] = 0
        self.model.left[name] = 3

    async def edit(self, name: str) -> None:
        body = {"customer_id": self.customer_id, "currency": "EUR", "lines": [{**LINE, "quantity": "3"}]}
        answer = await self.who.send("PUT", f"/api/invoices/{name}", {**body, "note": "edited"}, if_match="*")
        assert answer.status == (200 if self.model.status[name] == "draft" else 409)

    async def delete(self, name: str) -> None:
        answer = await self.who.send("DELETE", f"/api/invoices/{name}")
        if self.model.status[name] == "draft":
            assert answer.status == 204
            del self.model.status[name]
        else:
            assert answer.status == 409

    async def finalise(self, name: str) -> None:
        await self.issue(name, NOW.date())

    async def backdate(self, which: int) -> None:
        drafts = [name for name, status in self.model.status.items() if status == "draft"]
        if drafts:
            await self.issue(drafts[which % len(drafts)], NOW.date() - timedelta(days=DAYS_BACK[which]))

    async def issue(self, name: str, day: date) -> None:
        may = self.model.status[name] == "draft" and self.model.takes_day(day)
        if await self.post(name, f"finalise?issue_date={day}", allowed=may):
            self.model.status[name] = "open"
            self.model.last_day[day.year] = max(day, self.model.last_day.get(day.year, day))
            self.model.frozen[name] = await self.fixed(name)
            assert self.model.frozen[name]["issue_date"] == day.isoformat()

    async def close(self, which: int) -> None:
        """The books are closed until a day that is over, or opened again."""
        day = NOW.date() - timedelta(days=DAYS_BACK[which] + 1) if which < 2 else None
        answer = await self.who.send(
            "PUT", "/api/numbers/books", {"closed_until": day.isoformat() if day else None}
        )
        assert answer.status == 200, answer.text
        self.model.closed_until = day or date.min

    async def pay(self, name: str) -> None:
        await self.record(name, self.model.owed(name) // 2 or 1)

    async def over(self, name: str) -> None:
        await self.record(name, self.model.owed(name) + 777)

    async def record(self, name: str, amount: int) -> None:
        body = {"invoice_id": name, "amount_minor": amount}
        answer = await self.who.post("/api/payments", body)
        assert answer.status == (201 if self.model.takes_money(name) else 409), answer.text
        if answer.status == 201:
            settled, payment = min(amount, self.model.owed(name)), answer.json["payment_id"]
            self.model.payments[payment] = {name: settled}
            self.model.rest[payment] = amount - settled
            self.model.settle(name, paid=settled)

    async def reverse(self, which: int) -> None:
        if self.model.payments:
            payment = list(self.model.payments)[which % len(self.model.payments)]
            answer = await self.who.post(f"/api/payments/{payment}/reverse", {})
            assert answer.status == 200
            for name, amount in self.model.payments.pop(payment).items():
                self.model.settle(name, paid=-amount)
            self.model.rest[payment] = 0

    async def use(self, name: str) -> None:
        sources = [*(n for n in sorted(self.model.notes)), *sorted(self.model.payments)]
        sources = [source for source in sources if self.model.rest[source]]
        if await self.post(name, "use-credit", allowed=self.model.takes_money(name) and bool(sources)):
            for source in sources:
                part = min(self.model.rest[source], self.model.owed(name))
                if part:
                    self.model.rest[source] -= part
                    is_note = source in self.model.notes
                    if not is_note:
                        used = self.model.payments[source]
                        used[name] = used.get(name, 0) + part
                    self.model.settle(name, **{"credited" if is_note else "paid": part})

    async def credit(self, name: str) -> None:
        await self.take_back(name, self.model.left[name], None)

    async def part(self, name: str) -> None:
        await self.take_back(name, 1, [{"line_no": 1, "quantity": "1"}])

    async def take_back(self, name: str, thirds: int, lines: Any) -> None:
        may = (
            self.model.status[name] in ("open", "paid", "uncollectible")
            and self.model.left[name] >= thirds > 0
        )
        answer = await self.who.post(f"/api/invoices/{name}/credit-notes", {"lines": lines} if lines else {})
        assert (answer.status == 201) == may, answer.text
        if may:
            note = (await self.who.get(f"/api/invoices/{answer.json['invoice_id']}")).json
            settled = min(note["gross_minor"], self.model.owed(name))
            self.model.left[name] -= thirds
            self.model.notes.append(note["invoice_id"])
            self.model.rest[note["invoice_id"]] = note["gross_minor"] - settled
            assert answer.json["balance_minor"] == note["gross_minor"] - settled
            self.model.settle(name, credited=settled)

    async def void(self, name: str) -> None:
        untouched = not (self.model.paid[name] or self.model.credited[name])
        if await self.post(name, "void", allowed=self.model.takes_money(name) and untouched):
            self.model.status[name] = "void"

    async def give_up(self, name: str) -> None:
        if await self.post(name, "uncollectible", allowed=self.model.status[name] == "open"):
            self.model.status[name] = "uncollectible"

    async def post(self, name: str, verb: str, *, allowed: bool) -> bool:
        answer = await self.who.post(f"/api/invoices/{name}/{verb}", {} if verb == "use-credit" else None)
        assert answer.status == (200 if allowed else 409), (verb, self.model.status[name], answer.text)
        return allowed

    async def fixed(self, name: str) -> Any:
        """What never changes once an invoice is issued."""
        moving = {"status", "version", "paid_minor", "credited_minor", "balance_minor"}
        said = (await self.who.get(f"/api/invoices/{name}")).json
        return {key: value for key, value in said.items() if key not in moving and not key.endswith("_at")}

    async def is_true(self) -> None:
        for name, status in self.model.status.items():
            said = (await self.who.get(f"/api/invoices/{name}")).json
            told = (said["status"], said["paid_minor"], said["credited_minor"])
            assert told == (status, self.model.paid[name], self.model.credited[name])
            if name in self.model.frozen:
                assert await self.fixed(name) == self.model.frozen[name]
        report = (await self.who.get("/api/numbers/audit")).json
        assert report["is_sound"], report
        numbered = set(self.model.frozen) | set(self.model.notes)
        assert sum(series["numbers"] for series in report["series"]) == len(numbered)
        assert not (self.model.is_by_date and sum(series["dates_back"] for series in report["series"]))

    async def is_chained(self) -> None:
        """Every change left its audit row, and the rows are one chain."""
        async with self.who.app.role("worker") as database:
            await seal_due(database)
        report = await verify_tenant(self.who.app.installation, self.who.tenant_id)
        assert (report.broken, report.unsealed) == (None, 0)
        issued = await self.who.app.admin(
            "select count(*) from audit where tenant_id = $1 and action in ('invoice.issued', 'invoice.credited')",
            self.who.tenant_id,
        )
        assert issued[0][0] >= len(self.model.frozen)


async def test_any_order_of_events_leaves_what_the_model_says(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: NOW) as app:
        loop = asyncio.get_running_loop()

        async def lives(events: list[tuple[str, int]], is_by_date: bool) -> None:
            who = await person(app)
            life = Life(who, await who.customer())
            if is_by_date:
                rule = {"series_id": "invoice", "policy": "gapless_chronological"}
                assert (await who.send("PUT", "/api/numbers", rule)).status == 200
                life.model.is_by_date = True
            for _ in range(2):
                await life.draft()
            for verb, which in events:
                await life.happens(verb, which)
            await life.is_true()
            await life.is_chained()

        @settings(**lean(40))
        @example([("finalise", 0), ("pay", 0), ("give up", 0), ("reverse", 0)], False)
        @example(
            [("finalise", 0), ("over", 0), ("finalise", 1), ("use", 1), ("part", 1), ("reverse", 0)], False
        )
        @example(
            [("finalise", 0), ("pay", 0), ("credit", 0), ("finalise", 1), ("use", 1), ("void", 1)], False
        )
        @example([("backdate", 1), ("close", 0), ("backdate", 0), ("backdate", 1), ("backdate", 2)], False)
        @example([("backdate", 2), ("finalise", 0), ("backdate", 0), ("close", 2), ("finalise", 1)], True)
        @given(EVENTS, st.booleans())
        def every_life(events: list[tuple[str, int]], is_by_date: bool) -> None:
            asyncio.run_coroutine_threadsafe(lives(events, is_by_date), loop).result()

        await asyncio.to_thread(every_life)
        assert await wrongly_settled(app) == []


# Issues drafts one by one as a process of its own. Before its n-th statement of the first draft, or before the commit
# where there are fewer, it says so and waits: there it is killed.
WORKER = """
import asyncio, sys, uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Tx, open_database
from shipworthy.kernel.runtime import uuid7
from shipworthy.rooms.invoicing.finalise import finalise

class Halting(Tx):
    left = int(sys.argv[4])

    def halt(self, last=False):
        if Halting.left > 0:
            Halting.left = 0 if last else Halting.left - 1
            if Halting.left == 0:
                print("here", flush=True)
                sys.stdin.readline()

    async def all(self, query, /, **values):
        self.halt()
        return await super().all(query, **values)

    async def maybe(self, query, /, **values):
        self.halt()
        return await super().maybe(query, **values)

    async def run(self, query, /, **values):
        self.halt()
        return await super().run(query, **values)

async def main(url, realm, tenant, _halt_at, *drafts):
    database = await open_database(url, connections_max=1, acquire_timeout_s=20)
    runtime = SimpleNamespace(database=database, now=lambda: datetime.now(UTC), new_id=uuid7)
    scope = Scope(uuid.UUID(realm), uuid.UUID(tenant))
    for draft in drafts:
        async with database.begin(scope) as tx:
            await tx.raw("set local lock_timeout = '60s'")  # the queue is what is examined, not its patience
            await tx.raw("set local statement_timeout = '60s'")
            await tx.raw("set local idle_in_transaction_session_timeout = '60s'")
            halting = Halting(tx._connection, tx.scope)
            ctx = Ctx(scope=scope, runtime=runtime, trace_id="0" * 32, tx=halting)
            issued = await finalise(ctx, uuid.UUID(draft), version=None)
            halting.halt(last=True)
        print("kept", issued.number, flush=True)
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""
STATEMENTS_MAX = 6  # what issuing a draft takes, and the commit


async def test_sixteen_writers_killed_between_any_two_statements_leave_no_gap(
    app: RunningApp, acme: Person
) -> None:
    customer_id = await acme.customer()
    await acme.issued(customer_id)  # the year's counter is there
    halts = [index % STATEMENTS_MAX + 1 if index < 2 * STATEMENTS_MAX else 0 for index in range(16)]
    workers = [
        await start(app, acme, halt_at, [(await acme.draft(customer_id))["invoice_id"] for _ in range(2)])
        for halt_at in halts
    ]
    await asyncio.gather(*(drive(worker, dies=at > 0) for worker, at in zip(workers, halts, strict=True)))
    issued = 1 + 2 * halts.count(0)
    report = (await acme.get("/api/numbers/audit")).json
    (row,) = report["series"]
    assert (row["missing"], row["doubles"], report["is_sound"]) == (0, 0, True)
    assert row["numbers"] == issued
    # A number, its audit row and its PDF's job are there together or not at all.
    for together in (
        "select count(*) from audit where action = 'invoice.issued'",
        "select count(*) from pgqueuer where entrypoint = 'invoice.pdf'",
    ):
        assert (await app.admin(together))[0][0] == issued
    following = await acme.issued(customer_id)
    assert int(following["number"][-5:]) == issued + 1


async def start(app: RunningApp, acme: Person, halt_at: int, drafts: list[str]) -> asyncio.subprocess.Process:
    arguments = (app.url("app"), str(app.runtime.realm_id), str(acme.tenant_id), str(halt_at), *drafts)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, *arguments, stdin=pipe, stdout=pipe, stderr=pipe
    )


async def drive(worker: asyncio.subprocess.Process, *, dies: bool) -> None:
    """Let a worker issue what it was given; one that dies does so where it says that it waits."""
    assert worker.stdout
    while (said := await worker.stdout.readline()).startswith((b"here", b"kept")):
        if said.startswith(b"here"):
            os.kill(worker.pid, signal.SIGKILL)
            break
    _, complaint = await worker.communicate()
    assert worker.returncode == (-signal.SIGKILL if dies else 0), complaint.decode()[-800:]
