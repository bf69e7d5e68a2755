"""The life of invoices against a plain model of it, under any order of events; and with workers killed on the way.

Covers: settle.
"""

from __future__ import annotations

import asyncio
import functools
import math
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shipworthy.kernel.audit.sealer import seal_due
from shipworthy.kernel.audit.verify import verify_chain
from shipworthy.kernel.context import Scope
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_payments import wrongly_settled
from tests.support.app import RunningApp, app_running
from tests.support.client import Answer
from tests.support.deeper import lean

STEPS = 24
RATE = Fraction(LINE["tax_rate_bp"], 10_000)
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)  # a backdated invoice falls into this year or into the one before
DAYS_BACK = (0, 1, 9, 70)
# Currencies and their decimals; prices of which no third is a whole number of the smallest unit, or is less than one.
CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3, "UYW": 4}
PRICES = ("95.00", "0.335", "33.333333", "1234.5678")


@dataclass
class Model:
    """What should be true: plain integers, no database."""

    status: dict[str, str] = field(default_factory=dict)  # of what was not deleted
    gross: dict[str, int] = field(default_factory=dict)
    price: dict[str, Fraction] = field(default_factory=dict)  # of one third, in smallest units, net
    paid: dict[str, int] = field(default_factory=dict)
    credited: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)  # thirds of the line not credited yet
    taken_back: dict[str, int] = field(default_factory=dict)  # the gross of its credit notes
    payments: dict[str, dict[str, int]] = field(default_factory=dict)  # payment -> invoice -> amount
    rest: dict[str, int] = field(default_factory=dict)  # payment or credit note -> what is left of it
    frozen: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    closed_until: date = date.min
    is_by_date: bool = False  # whether the series of invoices lets no date go back
    last_day: dict[int, date] = field(default_factory=dict)  # year -> the latest date its series has given

    def owed(self, invoice: str) -> int:
        return self.gross[invoice] - self.paid[invoice] - self.credited[invoice]

    def comes_to(self, invoice: str, thirds: int) -> int:
        """What crediting so many thirds takes back: the last one all that is left."""
        if thirds == self.left[invoice]:
            return self.gross[invoice] - self.taken_back[invoice]
        net = half_up(self.price[invoice] * thirds)
        return net + half_up(net * RATE)

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

    def is_one_of(self, invoice: str, *statuses: str) -> bool:
        return self.status.get(invoice) in statuses

    def takes_money(self, invoice: str) -> bool:
        return self.is_one_of(invoice, "open", "uncollectible")


def half_up(amount: Fraction) -> int:
    return math.floor(amount + Fraction(1, 2))


def awaited(step: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """A rule that waits for the app, run in the app's own loop."""

    @functools.wraps(step)
    def run(self: Life, **given: Any) -> Any:
        async def here() -> Any:
            return await step(self, **given)

        return asyncio.run_coroutine_threadsafe(here(), self.loop).result()

    return run


class Life(RuleBasedStateMachine):
    """Every event is asked of the API, and the model says what must come of it."""

    invoices = Bundle("invoices")
    payments = Bundle("payments")

    def __init__(self, app: RunningApp, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.app, self.loop, self.model = app, loop, Model()

    @initialize(currency=st.sampled_from(sorted(CURRENCIES)), is_by_date=st.booleans())
    @awaited
    async def begin(self, currency: str = "EUR", is_by_date: bool = False) -> None:
        self.who, self.currency = await person(self.app), currency
        self.customer_id = await self.who.customer()
        if is_by_date:
            policy = {"series_id": "invoice", "policy": "gapless_chronological"}
            assert (await self.who.send("PUT", "/api/numbers", policy)).status == 200
            self.model.is_by_date = True

    @rule(target=invoices, price=st.sampled_from(PRICES))
    @awaited
    async def draft(self, price: str = "95.00") -> str:
        made = await self.who.draft(**self.written(price))
        name = str(made["invoice_id"])
        self.model.status[name], self.model.gross[name] = "draft", made["gross_minor"]
        self.model.paid[name] = self.model.credited[name] = self.model.taken_back[name] = 0
        self.model.left[name] = 3
        self.model.price[name] = self.in_units(price)
        return name

    @rule(name=invoices, price=st.sampled_from(PRICES))
    @awaited
    async def edit(self, name: str, price: str) -> None:
        may = self.model.is_one_of(name, "draft")
        body = {**self.written(price), "note": "edited"}
        answer = await self.who.send("PUT", f"/api/invoices/{name}", body, if_match="*")
        if self.is_answer(answer, name, allowed=may):
            self.model.gross[name] = answer.json["gross_minor"]
            self.model.price[name] = self.in_units(price)

    @rule(name=invoices)
    @awaited
    async def delete(self, name: str) -> None:
        may = self.model.is_one_of(name, "draft")
        if self.is_answer(await self.who.send("DELETE", f"/api/invoices/{name}"), name, allowed=may):
            del self.model.status[name]

    @rule(name=invoices, days_back=st.sampled_from(DAYS_BACK))
    @awaited
    async def finalise(self, name: str, days_back: int = 0) -> None:
        day = NOW.date() - timedelta(days=days_back)
        may = self.model.is_one_of(name, "draft") and self.model.takes_day(day)
        if await self.post(name, f"finalise?issue_date={day}", allowed=may):
            self.model.status[name] = "open"
            self.model.last_day[day.year] = max(day, self.model.last_day.get(day.year, day))
            self.model.frozen[name] = await self.fixed(name)
            assert self.model.frozen[name]["issue_date"] == day.isoformat()

    @rule(days_back=st.none() | st.sampled_from(DAYS_BACK[1:]))
    @awaited
    async def close(self, days_back: int | None) -> None:
        """The books are closed until a day that is over, or opened again."""
        day = NOW.date() - timedelta(days=days_back + 1) if days_back is not None else None
        body = {"closed_until": day.isoformat() if day else None}
        answer = await self.who.send("PUT", "/api/numbers/books", body)
        assert answer.status == 200, answer.text
        self.model.closed_until = day or date.min

    @rule(target=payments, name=invoices, percent=st.sampled_from((1, 50, 100, 130)))
    @awaited
    async def pay(self, name: str, percent: int = 100) -> Any:
        """A payment of this part of what is owed, of more, or of a unit where nothing is."""
        amount = max(1, self.model.owed(name) * percent // 100)
        answer = await self.who.post("/api/payments", {"invoice_id": name, "amount_minor": amount})
        if not self.is_answer(answer, name, allowed=self.model.takes_money(name)):
            return multiple()
        settled, payment = min(amount, self.model.owed(name)), str(answer.json["payment_id"])
        self.model.payments[payment] = {name: settled}
        self.model.rest[payment] = amount - settled
        self.model.settle(name, paid=settled)
        await self.shows(name)
        return payment

    @rule(payment=payments)
    @awaited
    async def reverse(self, payment: str) -> None:
        may = payment in self.model.payments
        answer = await self.who.post(f"/api/payments/{payment}/reverse", {})
        assert answer.status == (200 if may else 409), answer.text
        for name, amount in self.model.payments.pop(payment, {}).items():
            self.model.settle(name, paid=-amount)
            await self.shows(name)
        self.model.rest[payment] = 0

    @rule(name=invoices)
    @awaited
    async def use(self, name: str) -> None:
        """What is left of the customer's payments and credit notes, the oldest notes first."""
        sources = [*sorted(self.model.notes), *sorted(self.model.payments)]
        sources = [source for source in sources if self.model.rest[source]]
        if await self.post(name, "use-credit", allowed=self.model.takes_money(name) and bool(sources)):
            for source in sources:
                if part := min(self.model.rest[source], self.model.owed(name)):
                    self.model.rest[source] -= part
                    is_note = source in self.model.notes
                    if not is_note:
                        used = self.model.payments[source]
                        used[name] = used.get(name, 0) + part
                    self.model.settle(name, **{"credited" if is_note else "paid": part})
            await self.shows(name)

    @rule(name=invoices, thirds=st.sampled_from((None, 1, 2)))
    @awaited
    async def credit(self, name: str, thirds: int | None = None) -> None:
        """Take back so many thirds of the line, or all that is left of it."""
        lines = [{"line_no": 1, "quantity": str(thirds)}] if thirds else None
        thirds = thirds or self.model.left[name]
        is_issued = self.model.is_one_of(name, "open", "paid", "uncollectible")
        is_left = is_issued and self.model.left[name] >= thirds
        may = is_left and thirds > 0 and self.model.comes_to(name, thirds) > 0
        answer = await self.who.post(f"/api/invoices/{name}/credit-notes", {"lines": lines} if lines else {})
        # More of a line than is left of it is a wrong entry of the form, not a conflict.
        if self.is_answer(answer, name, allowed=may, refused=422 if is_issued and not is_left else 409):
            note = (await self.who.get(f"/api/invoices/{answer.json['invoice_id']}")).json
            settled = min(note["gross_minor"], self.model.owed(name))
            self.model.left[name] -= thirds
            self.model.taken_back[name] += note["gross_minor"]
            if self.model.left[name] == 0:
                assert self.model.taken_back[name] == self.model.gross[name], "nothing of it is left"
            self.model.notes.append(note["invoice_id"])
            self.model.rest[note["invoice_id"]] = note["gross_minor"] - settled
            assert answer.json["balance_minor"] == note["gross_minor"] - settled
            self.model.settle(name, credited=settled)
            await self.shows(name)

    @rule(name=invoices)
    @awaited
    async def void(self, name: str) -> None:
        untouched = not (self.model.paid[name] or self.model.credited[name])
        if await self.post(name, "void", allowed=self.model.takes_money(name) and untouched):
            self.model.status[name] = "void"

    @rule(name=invoices)
    @awaited
    async def give_up(self, name: str) -> None:
        if await self.post(name, "uncollectible", allowed=self.model.is_one_of(name, "open")):
            self.model.status[name] = "uncollectible"

    @awaited
    async def ends(self) -> None:
        """At the end everything is as the model says, whatever was not looked at on the way."""
        for name in self.model.status:
            await self.shows(name)
            if name in self.model.frozen:
                assert await self.fixed(name) == self.model.frozen[name]
        report = (await self.who.get("/api/numbers/audit")).json
        assert report["is_sound"], report
        numbered = set(self.model.frozen) | set(self.model.notes)
        assert sum(series["numbers"] for series in report["series"]) == len(numbered)
        assert not (self.model.is_by_date and sum(series["dates_back"] for series in report["series"]))
        await self.is_chained()

    def teardown(self) -> None:
        self.ends()

    async def post(self, name: str, verb: str, *, allowed: bool) -> bool:
        answer = await self.who.post(f"/api/invoices/{name}/{verb}", {} if verb == "use-credit" else None)
        return self.is_answer(answer, name, allowed=allowed)

    def is_answer(self, answer: Answer, name: str, *, allowed: bool, refused: int = 409) -> bool:
        """What is not allowed is refused as a conflict, and of what was deleted nothing is known."""
        status = self.model.status.get(name)
        if allowed:
            assert answer.status in (200, 201, 204), (status, answer.text)
        else:
            assert answer.status == (refused if status else 404), (status, answer.text)
        return allowed

    async def shows(self, name: str) -> None:
        said = (await self.who.get(f"/api/invoices/{name}")).json
        told = (said["status"], said["paid_minor"], said["credited_minor"], said["balance_minor"])
        model = self.model
        owed = 0 if model.is_one_of(name, "void") else model.owed(name)
        assert told[:3] == (model.status[name], model.paid[name], model.credited[name])
        assert told[3] == owed

    async def fixed(self, name: str) -> Any:
        """What never changes once an invoice is issued."""
        moving = {"status", "version", "paid_minor", "credited_minor", "balance_minor"}
        said = (await self.who.get(f"/api/invoices/{name}")).json
        return {key: value for key, value in said.items() if key not in moving and not key.endswith("_at")}

    async def is_chained(self) -> None:
        """Every change left its audit row, and the rows are one chain."""
        async with self.app.role("worker") as database:
            await seal_due(database)
        async with self.app.role("auditor") as database:
            report = await verify_chain(database, Scope(self.app.runtime.realm_id, self.who.tenant_id))
        assert (report.broken, report.unsealed) == (None, 0)
        issued = await self.app.admin(
            "select count(*) from audit where tenant_id = $1 and action in ('invoice.issued', 'invoice.credited')",
            self.who.tenant_id,
        )
        assert issued[0][0] >= len(self.model.frozen)

    def in_units(self, price: str) -> Fraction:
        return Fraction(price) * 10 ** CURRENCIES[self.currency]

    def written(self, price: str) -> dict[str, Any]:
        line = {**LINE, "quantity": "3", "unit_price": price}
        return {"customer_id": self.customer_id, "currency": self.currency, "lines": [line]}


async def test_any_order_of_events_leaves_what_the_model_says(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: NOW) as app:
        loop = asyncio.get_running_loop()

        def every_life() -> None:
            for life in LIVES:
                born = Life(app, loop)
                currency = "JPY" if life is nothing_to_take_back else "EUR"
                born.begin(is_by_date=life is days_in_order, currency=currency)
                life(born)
                born.ends()
            run_state_machine_as_test(  # type: ignore[no-untyped-call]
                lambda: Life(app, loop), settings=settings(**lean(30), stateful_step_count=STEPS)
            )

        await asyncio.to_thread(every_life)
        assert await wrongly_settled(app) == []


# Lives that say more than chance: what was given up and half paid is owed again once the payment is reversed; and so on.


def a_loss_taken_back(life: Life) -> None:
    one = life.draft()
    life.finalise(name=one)
    payment = life.pay(name=one, percent=50)
    life.give_up(name=one)
    life.reverse(payment=payment)


def a_rest_used(life: Life) -> None:
    one, two = life.draft(), life.draft()
    life.finalise(name=one)
    payment = life.pay(name=one, percent=130)
    life.finalise(name=two)
    life.use(name=two)
    life.credit(name=two, thirds=1)
    life.reverse(payment=payment)


def all_credited_and_void(life: Life) -> None:
    one, two = life.draft(), life.draft()
    life.finalise(name=one)
    life.pay(name=one, percent=50)
    life.credit(name=one)
    life.finalise(name=two)
    life.use(name=two)
    life.void(name=two)


def closed_books(life: Life) -> None:
    one, two = life.draft(), life.draft()
    life.finalise(name=two, days_back=9)
    life.close(days_back=1)
    life.finalise(name=one, days_back=1)
    life.finalise(name=one, days_back=9)
    life.finalise(name=one, days_back=70)


def days_in_order(life: Life) -> None:
    one, two = life.draft(), life.draft()
    life.finalise(name=one, days_back=70)
    life.finalise(name=two)
    life.finalise(name=life.draft(), days_back=1)
    life.close(days_back=None)
    life.finalise(name=life.draft())


def nothing_to_take_back(life: Life) -> None:
    one = life.draft(price="0.335")  # a third of it is less than half a yen
    life.finalise(name=one)
    life.credit(name=one, thirds=1)
    life.credit(name=one, thirds=2)
    life.credit(name=one, thirds=2)  # more than is left
    life.credit(name=one)


LIVES = (
    a_loss_taken_back,
    a_rest_used,
    all_credited_and_void,
    closed_books,
    days_in_order,
    nothing_to_take_back,
)

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
