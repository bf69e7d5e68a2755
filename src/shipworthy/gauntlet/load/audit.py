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
        while len(self._marks) <= len(self._lag) and now_ns >= self._boundary_ns(len(self._marks)):
            self._marks.append(_Mark())

    def finish(self) -> None:
        """Close the last block, if the load ended before its boundary was noticed."""
        while len(self._marks) <= len(self._lag):
            self._marks.append(_Mark())

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
        return tuple(
            BlockAudit(
                lag_ms_p99=lag.quantile(0.99) / 1000,
                cpu_share=(end.cpu_s - begin.cpu_s) / max(end.wall_s - begin.wall_s, 1e-9),
                sent=lag.count,
                dropped=dropped,
                pressure_share=_share(begin.pressure_s, end.pressure_s, begin, end),
                steal_share=_share(begin.steal_share_s, end.steal_share_s, begin, end),
            )
            for lag, dropped, begin, end in zip(
                self._lag, self._dropped, self._marks[:-1], self._marks[1:], strict=True
            )
        )

    def _boundary_ns(self, number: int) -> int:
        return self._measure_from_ns + number * self._block_ns


class _Mark:
    """The clocks at one moment. The thread's clock: others may share the process, not the thread."""

    __slots__ = ("cpu_s", "pressure_s", "steal_share_s", "wall_s")

    def __init__(self) -> None:
        self.wall_s = time.monotonic_ns() / _NS_PER_S
        self.cpu_s = time.thread_time()
        self.pressure_s = _pressure_s()
        self.steal_share_s = _steal_s_per_cpu()


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
