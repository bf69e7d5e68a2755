"""The account of writes during a drill: each has a key; what was acknowledged must be there, once.

Somebody of a tenant that the load leaves alone creates something under a key again and again. After the
healing every key is sent once more: what was answered before must be answered the same, and the rows
of the tenant must have grown by one effect for each key.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shipworthy.contract.finding import Evidence
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.call import Call, path_parameters, subject_of
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, Unanswered
from shipworthy.gauntlet.probes.effects import Growth, beyond, counts_rows, effects, growth, row_counter
from shipworthy.gauntlet.probes.keyed import STILL_AT_IT, Keyed, Once, is_reachable, said

PER_S = 4.0
ANSWER_TIMEOUT_S = 15.0
_AGAIN_TRIES, _AGAIN_PAUSE_S = 40, 0.25  # a key that a cut request still holds is free within seconds
_IN_FLIGHT_MAX = 40  # a hanging app must not collect hundreds of requests from us


@dataclass
class Write:
    """One key: its request, the first answer (None: cut, or none in time) and the one after the healing."""

    call: Call
    first: Answer | None = None
    waited_s: float = 0.0
    again: Answer | None = None


@dataclass
class Account:
    """What became of the writes.

    `lost` were acknowledged and are answered otherwise under their key now: what was done is gone and
    was made anew, or its answer was. Where sending again left more rows than keys, that many count as
    `doubled` instead. `missing` are keys whose answer is still there and whose rows are not.
    """

    route: str
    writes: list[Write] = field(default_factory=list)
    lost: list[Write] = field(default_factory=list)
    doubled: float = 0.0
    missing: int = 0
    acknowledged: int = 0
    is_counted: bool = False
    untyped: list[Write] = field(default_factory=list)
    unanswered: int = 0
    slowest_s: float = 0.0

    def evidence(self) -> tuple[Evidence, ...]:
        shown = (self.lost or self.untyped)[:1]
        found: list[Evidence] = []
        for write in shown:
            found.append(request_evidence(write.call, "Sent during the drill"))
            found += [answer_evidence(write.first)] if write.first else []
            found += [answer_evidence(write.again, "Under the same key, afterwards")] if write.again else []
        return tuple(found)


class Writer:
    """Writes at an even pace until it is stopped; then closes the account."""

    def __init__(self, exam: Exam, keyed: Keyed, once: Once, before: Growth) -> None:
        self._exam, self._keyed, self._once, self._before = exam, keyed, once, before
        self._writes: list[Write] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._writing: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._writing = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Write no more, and wait for what is under way."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def close(self) -> Account:
        """Send every key again and count. Call when all is healed."""
        account = Account(route=subject_of(self._keyed.route), writes=self._writes)
        for write in self._writes:
            write.again = await self._again(write.call)
            account.slowest_s = max(account.slowest_s, write.waited_s)
            if write.first is None:
                account.unanswered += 1
            elif self._keyed.succeeded(write.first):
                account.acknowledged += 1
                if not self._keyed.succeeded(write.again) or _differs(write):
                    account.lost.append(write)
            elif not is_typed(write.first):
                account.untyped.append(write)
            if write.first is None and not self._keyed.succeeded(write.again):
                account.lost.append(write)  # not even a second try makes it
        single = self._once.grown
        grown = growth(self._before, await _rows(self._exam, self._exam.people[-1])) if single else {}
        account.is_counted = bool(single)
        if single:
            keys = sum(self._keyed.succeeded(write.again) for write in self._writes)
            surplus = round(effects(single, grown)) - keys
            account.doubled = sum(beyond(single, grown, times=keys).values())
            account.missing = max(0, -surplus)
            account.lost = account.lost[max(0, surplus) :]
        return account

    async def _write(self) -> None:
        while True:
            if len(self._sending) < _IN_FLIGHT_MAX:
                write = Write(self._new())
                self._writes.append(write)
                task = asyncio.create_task(self._send(write))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            await asyncio.sleep(1 / PER_S)

    def _new(self) -> Call:
        """The same request under a new key: looking samples up anew would wait for what is broken."""
        call = self._once.call
        return replace(call, headers={**call.headers, "idempotency-key": str(uuid.uuid4())})

    async def _send(self, write: Write) -> None:
        began = asyncio.get_running_loop().time()
        try:
            write.first = await write.call.send(await self._keyed.session(), timeout_s=ANSWER_TIMEOUT_S)
        except Unanswered:
            write.first = None
        write.waited_s = asyncio.get_running_loop().time() - began

    async def _again(self, call: Call) -> Answer | None:
        answer = None
        for _ in range(_AGAIN_TRIES):
            [answer] = await self._keyed.at_once([call])
            if answer is not None and answer.status not in STILL_AT_IT:
                return answer
            await asyncio.sleep(_AGAIN_PAUSE_S)
        return answer


async def writer(exam: Exam) -> Writer | None:
    """Return a writer; None where no route of the target creates something under a key."""
    route = keyed_route(exam)
    people = exam.people
    if route is None or not people:
        return None
    person = people[-1]
    if len(people) < 2 or not counts_rows(exam, person):
        keyed = Keyed(exam, route, person, None)
        return Writer(exam, keyed, await keyed.once(), {})
    async with exam.database("admin").connection() as connection:
        counted = Keyed(exam, route, person, await row_counter(exam, (connection,), person))
        once = await counted.once()
    return Writer(exam, Keyed(exam, route, person, None), once, await _rows(exam, person))


async def _rows(exam: Exam, person: Credential) -> Growth:
    """Count over a connection of its own: the drill may end the database's others."""
    async with exam.database("admin").connection() as connection:
        return await (await row_counter(exam, (connection,), person)).count()


def keyed_route(exam: Exam) -> Route | None:
    """Return the route that creates under a key and that the app lives by."""
    able = [
        route
        for route in exam.manifest.routes
        if route.idempotency == "key" and is_reachable(exam, route) and not path_parameters(route)
    ]
    return min(
        able,
        key=lambda route: (route.effect != "create", route.media != "json", route.slo is None),
        default=None,
    )


def person_of_load(exam: Exam) -> tuple[Credential, ...]:
    """Return whom the load may be: everybody but whoever's rows the writer counts."""
    people = exam.people
    return people[:-1] if len(people) > 1 else people


def is_typed(answer: Answer) -> bool:
    """Say whether a failure is one a program understands: a status for "later", and when that is."""
    if answer.status == 503:
        return bool(answer.header("retry-after"))
    return answer.status in (429, 502, *STILL_AT_IT)


def lost_ids(writes: Sequence[Write]) -> str:
    return ", ".join(write.call.headers.get("idempotency-key", "?") for write in writes[:5])


def _differs(write: Write) -> bool:
    assert write.first is not None
    return write.again is None or said(write.first) != said(write.again)
