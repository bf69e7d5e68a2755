"""The drills on what the whole app needs: its database, and its own web process."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.finding import Finding
from shipworthy.gauntlet.drills.drill import Drill, drilled
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults import kill_process, network, stop_process

# Answers of the database come this much later, and no more than this passes: a failing disk or a
# neighbour on the same machine, not an outage.
_LATENCY_MS, _KB_PER_S = 250.0, 256.0


async def _throttle(exam: Exam, lease_s: float) -> str:
    await network.delay(exam, "database", latency_ms=_LATENCY_MS, jitter_ms=50, lease_s=lease_s)
    await network.throttle(exam, "database", kb_per_s=_KB_PER_S, lease_s=lease_s)
    return f"the database answers {_LATENCY_MS:g} ms later and passes {_KB_PER_S:g} kB a second"


async def _hang(exam: Exam, lease_s: float) -> str:
    pids = await stop_process.stop_process(exam, "database", lease_s=lease_s)
    return f"the database hangs ({len(pids)} processes stopped)"


async def _kill_database(exam: Exam, _lease_s: float) -> str:
    return f"the database (pid {await kill_process.kill_process(exam, 'database')}) was killed"


async def _kill_web(exam: Exam, _lease_s: float) -> str:
    return f"the web process (pid {await kill_process.kill_process(exam, 'web')}) was killed"


THROTTLED = Drill(
    name="database throttled",
    inflict=_throttle,
    fault_s=8.0,
    holds=("site",),
    fix="Bound every wait for the database and answer 503 with Retry-After beyond it; serve pages from memory.",
)
HANGS = Drill(
    name="database hangs",
    inflict=_hang,
    fault_s=15.0,  # longer than the load waits: who waits for the database without a bound is seen to hang
    holds=("site",),
    fix="Give every statement and every wait for a connection a timeout, and answer 503 with Retry-After.",
)
DATABASE_KILLED = Drill(
    name="database killed",
    inflict=_kill_database,
    after_s=18.0,
    is_instant=True,
    holds=("site",),
    fix="Commit before answering, replace dead connections before work begins, and answer 503 with Retry-After.",
)
WEB_KILLED = Drill(
    name="web process killed",
    inflict=_kill_web,
    after_s=16.0,
    is_instant=True,
    may_cut=True,
    fix="Run the web process under a supervisor that starts it again, and keep keys with what they did.",
)


async def database_throttled(exam: Exam) -> Sequence[Finding]:
    return await drilled(exam, THROTTLED)


async def database_hangs(exam: Exam) -> Sequence[Finding]:
    return await drilled(exam, HANGS)


async def database_killed(exam: Exam) -> Sequence[Finding]:
    return await drilled(exam, DATABASE_KILLED)


async def web_killed(exam: Exam) -> Sequence[Finding]:
    return await drilled(exam, WEB_KILLED)
