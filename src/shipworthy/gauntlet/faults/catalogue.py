"""Every fault by its name, in the words of `Manifest.faults_allowed`, for whoever asks by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults import (
    clock_shift,
    disk_full,
    keys_expired,
    kill_process,
    lock_table,
    mail_down,
    network,
    squeeze,
    stop_process,
)

Inflict = Callable[[Exam, str, float], Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault with ordinary strength. `inflict` (exam, on, seconds) says what was done."""

    name: str
    title: str
    on: str  # what it may be inflicted on; empty when there is nothing to choose
    inflict: Inflict


async def _kill(exam: Exam, on: str, _lease_s: float) -> str:
    pid = await kill_process.kill_process(exam, on)
    return f"{on} (pid {pid}) was killed"


async def _stop(exam: Exam, on: str, lease_s: float) -> str:
    pids = await stop_process.stop_process(exam, on, lease_s=lease_s)
    return f"{on} hangs ({len(pids)} processes)" if len(pids) > 1 else f"{on} (pid {pids[0]}) hangs"


async def _lock(exam: Exam, on: str, lease_s: float) -> str:
    await lock_table.lock_table(exam, on, lease_s=lease_s)
    return f"nobody can write to {on}"


async def _fill(exam: Exam, on: str, lease_s: float) -> str:
    await disk_full.fill_disk(exam, on, lease_s=lease_s)
    return f"{on} can write no files"


async def _squeeze_cpu(exam: Exam, _on: str, lease_s: float) -> str:
    burdens = await squeeze.squeeze_cpu(exam, lease_s=lease_s)
    return f"{len(burdens.pids)} busy processes share the cores with it"


async def _squeeze_memory(exam: Exam, _on: str, lease_s: float) -> str:
    burden = await squeeze.squeeze_memory(exam, lease_s=lease_s)
    return f"{burden.held_bytes // 1_000_000} MB of the free memory are taken"


async def _mail(exam: Exam, _on: str, lease_s: float) -> str:
    await mail_down.take_mail_down(exam, lease_s=lease_s)
    return "no mail can be handed over"


async def _expire(exam: Exam, _on: str, _lease_s: float) -> str:
    keys_expired.expire_keys(exam)
    return "the provider's old keys are withdrawn"


async def _shift(exam: Exam, _on: str, lease_s: float) -> str:
    await clock_shift.shift_clock(exam, by_s=3600, lease_s=lease_s)
    return "the app's clock is an hour ahead"


async def _delay(exam: Exam, on: str, lease_s: float) -> str:
    await network.delay(exam, on, latency_ms=200, jitter_ms=50, lease_s=lease_s)
    return f"answers of {on} take 200 ms longer, give or take 50"


async def _throttle(exam: Exam, on: str, lease_s: float) -> str:
    await network.throttle(exam, on, kb_per_s=16, lease_s=lease_s)
    return f"16 kB a second pass to and from {on}"


async def _reset(exam: Exam, on: str, lease_s: float) -> str:
    await network.reset(exam, on, lease_s=lease_s)
    return f"every connection to {on} is reset"


async def _blackhole(exam: Exam, on: str, lease_s: float) -> str:
    await network.blackhole(exam, on, lease_s=lease_s)
    return f"nothing passes to and from {on}"


async def _down(exam: Exam, on: str, lease_s: float) -> str:
    await network.take_down(exam, on, lease_s=lease_s)
    return f"connections to {on} are refused"


_PROCESS, _NEED, _TABLE = "web, worker, database, mail", "database, mail, oidc", "a table"

FAULTS = {
    fault.name: fault
    for fault in (
        Fault(name=kill_process.NAME, title="end a process as a crash would", on=_PROCESS, inflict=_kill),
        Fault(name=stop_process.NAME, title="let a process hang", on=_PROCESS, inflict=_stop),
        Fault(name=disk_full.NAME, title="let its writes to files fail", on="web, worker", inflict=_fill),
        Fault(name=lock_table.NAME, title="let writers of a table wait", on=_TABLE, inflict=_lock),
        Fault(name=squeeze.CPU, title="keep every core busy beside it", on="", inflict=_squeeze_cpu),
        Fault(name=squeeze.MEMORY, title="take a quarter of the free memory", on="", inflict=_squeeze_memory),
        Fault(name=mail_down.NAME, title="let no mail be handed over", on="", inflict=_mail),
        Fault(name=keys_expired.NAME, title="withdraw the provider's keys", on="", inflict=_expire),
        Fault(name=clock_shift.NAME, title="put its clock an hour ahead", on="", inflict=_shift),
        Fault(name=network.LATENCY, title="make a way slow", on=_NEED, inflict=_delay),
        Fault(name=network.BANDWIDTH, title="make a way narrow", on=_NEED, inflict=_throttle),
        Fault(name=network.RESET, title="reset every connection", on=_NEED, inflict=_reset),
        Fault(name=network.BLACKHOLE, title="let nothing pass", on=_NEED, inflict=_blackhole),
        Fault(name=network.DOWN, title="refuse connections", on=_NEED, inflict=_down),
    )
}
