"""Offering a load: every request leaves when it is due, and its latency runs from that moment.

A generator that waits for answers before it sends again hides exactly the worst moments
(coordinated omission, G. Tene); here an arrival is sent, or recorded as dropped, whatever the
server does. The engine audits itself while it runs, because a late generator looks like a
slow server.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime

from shipworthy.contract.manifest import Journey
from shipworthy.gauntlet.load.arrivals import Schedule, schedule
from shipworthy.gauntlet.load.audit import Audit
from shipworthy.gauntlet.load.client import Exchange
from shipworthy.gauntlet.load.code import Code, load_code
from shipworthy.gauntlet.load.coded import CodedCourse, Kept
from shipworthy.gauntlet.load.cookies import Jar
from shipworthy.gauntlet.load.journey import Course, Route, Traveller
from shipworthy.gauntlet.load.pacer import make_pacer
from shipworthy.gauntlet.load.plan import Address, LoadPlan, LoadUser, check
from shipworthy.gauntlet.load.pools import Pools
from shipworthy.gauntlet.load.record import Recorder
from shipworthy.gauntlet.load.result import LoadResult, Progress
from shipworthy.gauntlet.load.signin import SignInFailed, sign_in
from shipworthy.gauntlet.load.template import requests_of
from shipworthy.judge.validity import void_blocks

_NS_PER_S = 1_000_000_000
# Time to arm the timer and return to the loop before the first arrival is due.
_LEAD_NS = 50_000_000
# Expired requests are swept and block boundaries noticed this often; neither changes a recorded number.
_TICK_S = 0.05
_GRACE_S = 30.0
# Arrivals due within this of a wake-up wait for the next one. Waking an idle virtual CPU costs
# more than a request: at 2,000/s on two shared cores 0.2 ms took 128 us of CPU a request, this
# 115, a whole millisecond 107 (medians of four). At 50/s it delays one arrival in forty.
_COALESCE_NS = 500_000

OnSecond = Callable[[Progress], None]


async def offer(plan: LoadPlan, *, on_second: OnSecond | None = None) -> LoadResult:
    """Run the whole load against its address and return what was measured.

    Bounded by the plan in time and count. Whatever the server does is in the result; a failed
    sign-in ends the load with `aborted`.

    Errors:  PlanRefused before anything is sent.
    Cost:    measured by benchmarks/load_engine.py.
    """
    async with prepared(plan) as arm:
        if arm.aborted:
            return aborted(plan, arm.aborted)
        with quiet_gc():
            return await arm.offered(arrivals_of(plan), start_ns=soon_ns(), on_second=on_second)


def arrivals_of(plan: LoadPlan) -> Schedule:
    """Return what this process offers of the plan: all of it, or its shard."""
    whole = schedule(
        [j.rate_per_s for j in plan.journeys], duration_s=plan.duration_s, shape=plan.shape, seed=plan.seed
    )
    return whole.shard(*plan.shard)


def soon_ns() -> int:
    """Return a moment that leaves time to arm the timers; of `time.monotonic_ns`."""
    return time.monotonic_ns() + _LEAD_NS


@contextlib.asynccontextmanager
async def prepared(plan: LoadPlan) -> AsyncIterator[Arm]:
    """Yield an arm with its users signed in, or with `aborted` saying who could not.

    Errors:  PlanRefused before anything is sent.
    """
    check(plan)
    pools = Pools(plan)
    codes = {j.name: load_code(j.code, folder=plan.code_folder) for j in plan.journeys if j.code}
    _refuse_unrenderable(plan, pools.addresses)
    try:
        try:
            arm = Arm(plan, pools, codes, await _sessions(plan, pools))
        except SignInFailed as error:
            arm = Arm(plan, pools, codes, [], aborted=str(error))
        yield arm
    finally:
        await pools.close()


class Arm:
    """A plan made ready against one address."""

    def __init__(
        self,
        plan: LoadPlan,
        pools: Pools,
        codes: Mapping[str, Code],
        jars: list[dict[str, Jar]],
        *,
        aborted: str = "",
    ) -> None:
        self.plan, self.pools, self.codes, self.jars, self.aborted = plan, pools, codes, jars, aborted

    async def offered(
        self, arrivals: Schedule, *, start_ns: int, on_second: OnSecond | None = None
    ) -> LoadResult:
        """Offer every arrival, wait for the answers, and return the result."""
        return await _Run(self, arrivals, start_ns, on_second).measured()


class _Run:
    """One load in progress."""

    def __init__(self, arm: Arm, arrivals: Schedule, start_ns: int, on_second: OnSecond | None) -> None:
        self._plan, self._pools, self._on_second = arm.plan, arm.pools, on_second
        self._arm, self._schedule, self._start_ns = arm, arrivals, start_ns
        self._loop = asyncio.get_running_loop()
        self._exchanges: deque[Exchange] = deque()
        self._next = self._in_flight = self._dropped = self._seconds_told = 0

    async def measured(self) -> LoadResult:
        """Offer every arrival, wait for the answers, and return the result."""
        started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._begin()
        self._pacer = make_pacer(self._loop, self._send_due)
        self._pacer.wake_at(self._start_ns + (self._schedule.due_ns[0] if self._schedule.due_ns else 0))
        try:
            while not self._is_over():
                await asyncio.sleep(_TICK_S)
                self._tick()
        finally:
            self._pacer.close()
        self._audit.finish()
        return self._result(started_at)

    def _begin(self) -> None:
        plan = self._plan
        self._measure_from_ns = self._start_ns + round(plan.warmup_s * _NS_PER_S)
        self._end_ns = self._start_ns + round(plan.duration_s * _NS_PER_S)
        self._give_up_ns = self._start_ns + round((plan.time_s_max + _GRACE_S) * _NS_PER_S)
        block_ns = round(plan.block_s * _NS_PER_S)
        self._audit = Audit(blocks=plan.blocks, block_ns=block_ns, measure_from_ns=self._measure_from_ns)
        self._recorder = Recorder(plan, measure_from_ns=self._measure_from_ns)
        kept = Kept()
        self._courses = [self._course(place, j, kept) for place, j in enumerate(plan.journeys)]

    def _course(self, place: int, journey: Journey, kept: Kept) -> Course:
        plan, arm = self._plan, self._arm
        timeout_ns = round(plan.timeout_s * _NS_PER_S)
        if journey.code is None:
            return Route(
                place=place,
                travellers=_travellers(journey, plan, arm.jars, self._pools.addresses),
                pools=dict(self._pools),  # a plain dict: it is asked for every request
                sink=self._recorder,
                timeout_ns=timeout_ns,
                on_sent=self._exchanges.append,
                on_end=self._arrival_ended,
            )
        people = _people(plan, arm.jars)
        return CodedCourse(
            place=place,
            code=arm.codes[journey.name],
            users=tuple(user for user, _ in people),
            jars=tuple(jars if journey.login else None for _, jars in people),
            pools=self._pools,
            sink=self._recorder,
            kept=kept,
            facts=plan.facts,
            seed=plan.seed,
            timeout_ns=timeout_ns,
            on_sent=self._exchanges.append,
            on_end=self._arrival_ended,
        )

    def _send_due(self) -> None:
        """Send every arrival that is due, then ask to be woken for the next."""
        due_ns, journeys = self._schedule.due_ns, self._schedule.journey
        audit, start_ns = self._audit, self._start_ns
        while self._next < len(due_ns):
            intended_ns = start_ns + due_ns[self._next]
            now_ns = time.monotonic_ns()
            if intended_ns > now_ns:
                self._pacer.wake_at(max(intended_ns, now_ns + _COALESCE_NS))
                return
            self._arrive(journeys[self._next], intended_ns, now_ns, audit)
            self._next += 1

    def _arrive(self, place: int, intended_ns: int, now_ns: int, audit: Audit) -> None:
        number = self._schedule.first + self._next * self._schedule.step
        arrival = self._courses[place].arrival(number, intended_ns)
        self._in_flight += 1
        if self._in_flight > self._plan.in_flight_max:
            audit.dropped(intended_ns=intended_ns)
            self._dropped += 1
            arrival.drop()
            return
        audit.sent(intended_ns=intended_ns, now_ns=now_ns)
        arrival.go()

    def _arrival_ended(self) -> None:
        self._in_flight -= 1

    def _tick(self) -> None:
        """Expire what is overdue, note block boundaries, tell the seconds."""
        now_ns = time.monotonic_ns()
        self._audit.mark(now_ns=now_ns)
        exchanges = self._exchanges
        # Deadlines rise along the queue but for later steps of journeys, which at worst wait for the next tick.
        while exchanges and (exchanges[0].is_done or exchanges[0].deadline_ns <= now_ns):
            exchanges.popleft().expire()
        self._tell_seconds(now_ns)

    def _is_over(self) -> bool:
        now_ns = time.monotonic_ns()
        # Every exchange has a deadline, so this holds unless the engine itself broke; then it must not hang.
        assert now_ns < self._give_up_ns, "the load engine lost an arrival; see the error above"
        return self._next == len(self._schedule.due_ns) and not self._in_flight and now_ns >= self._end_ns

    def _tell_seconds(self, now_ns: int) -> None:
        seconds = int(self._plan.blocks * self._plan.block_s)
        passed = min((now_ns - self._measure_from_ns) // _NS_PER_S, seconds)
        while self._seconds_told < passed:
            second = self._seconds_told
            self._seconds_told += 1
            if self._on_second is not None:
                self._on_second(
                    Progress(
                        second=second,
                        seconds=seconds,
                        in_flight=self._in_flight,
                        lag_ms_p99=self._audit.lag_ms_p99_lately(),
                        journeys=self._recorder.tally(),
                    )
                )

    def _result(self, started_at: str) -> LoadResult:
        audits = self._audit.blocks()
        pools = self._pools.all
        return LoadResult(
            name=self._plan.name,
            seed=self._plan.seed,
            started_at=started_at,
            block_s=self._plan.block_s,
            journeys=self._recorder.results(
                voids={
                    slo.name: void_blocks(audits, threshold_ms=slo.threshold_ms) for slo in self._plan.slos
                }
            ),
            audits=audits,
            offered=len(self._schedule.due_ns),
            dropped=self._dropped,
            connections_opened=sum(pool.opened for pool in pools),
            retried=sum(pool.retried for pool in pools),
            cpu_s=self._audit.cpu_s,
            lag_ms_p99=self._audit.lag_ms_p99,
            pacer=self._pacer.name,
            shard=self._plan.shard,
        )


async def _sessions(plan: LoadPlan, pools: Pools) -> list[dict[str, Jar]]:
    """Sign every user in once, one after the other: a login limit must not meet a crowd."""
    if plan.login is None or not any(j.login for j in plan.journeys):
        return [{} for _ in plan.users]
    return [
        {
            "console": await sign_in(
                plan.login, user.credential, pool=pools["console"], timeout_s=plan.timeout_s
            )
        }
        for user in plan.users
    ]


def _travellers(
    journey: Journey, plan: LoadPlan, jars: list[dict[str, Jar]], hosts: dict[str, Address]
) -> tuple[Traveller, ...]:
    return tuple(
        Traveller(
            requests=requests_of(journey.steps, addresses=hosts, user=user),
            jars=jar if journey.login else None,
        )
        for user, jar in _people(plan, jars)
    )


def _people(plan: LoadPlan, jars: list[dict[str, Jar]]) -> list[tuple[LoadUser | None, dict[str, Jar]]]:
    """Return whose turn it may be, each with the cookies of a session; nobody in particular without users."""
    return [*zip(plan.users, jars, strict=True)] or [(None, {})]


def _refuse_unrenderable(plan: LoadPlan, hosts: dict[str, Address]) -> None:
    """Render every step's fixed parts once, so that a missing sample is refused before anyone signs in."""
    for journey in plan.journeys:
        if journey.code is None:
            _travellers(journey, plan, [{} for _ in plan.users], hosts)


def aborted(plan: LoadPlan, why: str) -> LoadResult:
    return LoadResult(
        name=plan.name,
        seed=plan.seed,
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        block_s=plan.block_s,
        journeys=(),
        audits=(),
        aborted=why,
    )


@contextlib.contextmanager
def quiet_gc() -> Iterator[None]:
    """Keep the garbage collector from pausing the measurement; reference counts free nearly all of it."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
