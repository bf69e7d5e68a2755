"""The engine's account of itself, block by block: was it late, was it busy, did others take the machine?

Owns the measuring of lag, CPU and the machine's pressure; what void means is the judge's (R5).
"""

from __future__ import annotations

import time
from pathlib import Path

from shipworthy.judge.histogram import LogHistogram, merged
from shipworthy.judge.validity import BlockAudit

_NS_PER_S = 1_000_000_000


class Audit:
    """Lag of every send, and CPU and pressure between block boundaries."""

    def __init__(self, *, blocks: int, block_ns: int, measure_from_ns: int) -> None:
        self._lag = [LogHistogram() for _ in range(blocks)]
        self._dropped = [0] * blocks
        self._block_ns, self._measure_from_ns = block_ns, measure_from_ns
        self._marks: list[_Mark] = []

    def sent(self, *, intended_ns: int, now_ns: int) -> None:
        """Note one arrival that was started now and had been due at `intended_ns`."""
        block = (intended_ns - self._measure_from_ns) // self._block_ns
        if block >= 0:
            self._lag[min(block, len(self._lag) - 1)].record(max(0, now_ns - intended_ns) // 1000)

    def dropped(self, *, intended_ns: int) -> None:
        """Note one arrival that was not sent."""
        block = (intended_ns - self._measure_from_ns) // self._block_ns
        if block >= 0:
            self._dropped[min(block, len(self._dropped) - 1)] += 1

    def mark(self, *, now_ns: int) -> None:
        """Read the clocks whenever a block boundary has been passed; to be called often."""
        passed = (now_ns - self._measure_from_ns) // self._block_ns + 1
        self._mark_until(min(passed, len(self._lag) + 1))

    def finish(self) -> None:
        """Close the last block, if the load ended before its boundary was noticed."""
        self._mark_until(len(self._lag) + 1)

    @property
    def cpu_s(self) -> float:
        return self._marks[-1].cpu_s - self._marks[0].cpu_s

    @property
    def lag_ms_p99(self) -> float:
        return merged(self._lag).quantile(0.99) / 1000

    def lag_ms_p99_now(self) -> float:
        """Return the lag of the block in progress."""
        return self._lag[min(max(len(self._marks) - 1, 0), len(self._lag) - 1)].quantile(0.99) / 1000

    def blocks(self) -> tuple[BlockAudit, ...]:
        """Return one entry per block; to be called after `finish`."""
        found = []
        for place, (lag, dropped) in enumerate(zip(self._lag, self._dropped, strict=True)):
            begin, end = self._stretch(place)
            found.append(
                BlockAudit(
                    lag_ms_p99=lag.quantile(0.99) / 1000,
                    cpu_share=_share(begin.cpu_s, end.cpu_s, begin, end) or 0.0,
                    sent=lag.count,
                    dropped=dropped,
                    pressure_share=_share(begin.pressure_s, end.pressure_s, begin, end),
                    steal_share=_share(begin.steal_s, end.steal_s, begin, end),
                )
            )
        return tuple(found)

    def _mark_until(self, count: int) -> None:
        if len(self._marks) < count:
            self._marks += [_Mark()] * (count - len(self._marks))

    def _stretch(self, block: int) -> tuple[_Mark, _Mark]:
        """Return the readings around a block; boundaries noticed together share the stretch they lay in."""
        end = self._marks[block + 1]
        return next((mark for mark in reversed(self._marks[: block + 1]) if mark is not end), end), end


class _Mark:
    """The clocks at one moment. The thread's clock: others may share the process, not the thread."""

    __slots__ = ("cpu_s", "pressure_s", "steal_s", "wall_s")

    def __init__(self) -> None:
        self.wall_s = time.monotonic_ns() / _NS_PER_S
        self.cpu_s = time.thread_time()
        self.pressure_s = _pressure_s()
        self.steal_s = _steal_s_per_cpu()


def _share(begin: float | None, end: float | None, first: _Mark, last: _Mark) -> float | None:
    if begin is None or end is None or last.wall_s <= first.wall_s:
        return None
    return (end - begin) / (last.wall_s - first.wall_s)


def _pressure_s() -> float | None:
    """Return how long some task has waited for a CPU since boot (Linux PSI), where told."""
    try:
        some = Path("/proc/pressure/cpu").read_text(encoding="ascii").split("\n", 1)[0]
    except OSError:
        return None
    return int(some.rpartition("total=")[2]) / 1e6


def _steal_s_per_cpu() -> float | None:
    """Return the time the hypervisor gave away since boot, per CPU (proc(5), /proc/stat), where told."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    cpus = sum(line.startswith("cpu") for line in lines) - 1
    ticks_per_s = 100  # USER_HZ, fixed for all that reads /proc
    return int(lines[0].split()[8]) / ticks_per_s / max(cpus, 1)
