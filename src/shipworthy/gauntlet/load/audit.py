"""The engine's account of itself, block by block: was it late, was it busy, did others take the machine?

Owns the measuring of lag, CPU and the machine's pressure; what void means is the judge's (R5).
"""

from __future__ import annotations

import time
from array import array
from pathlib import Path

from shipworthy.judge.histogram import exact_quantile
from shipworthy.judge.validity import BlockAudit

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000


class Audit:
    """Lag of every send, and CPU and pressure between block boundaries."""

    def __init__(self, *, blocks: int, block_ns: int, measure_from_ns: int) -> None:
        self._blocks, self._block_ns, self._measure_from_ns = blocks, block_ns, measure_from_ns
        self._offset_ns, self._lag_ns = array("q"), array("q")
        self._dropped = [0] * blocks
        self._marks: list[_Mark] = []
        self._told = 0

    def sent(self, *, intended_ns: int, now_ns: int) -> None:
        """Note one arrival that was started now and had been due at `intended_ns`."""
        offset_ns = intended_ns - self._measure_from_ns
        if offset_ns >= 0:
            self._offset_ns.append(offset_ns)
            self._lag_ns.append(now_ns - intended_ns)

    def dropped(self, *, intended_ns: int) -> None:
        """Note one arrival that was not sent."""
        offset_ns = intended_ns - self._measure_from_ns
        if offset_ns >= 0:
            self._dropped[self._block_of(offset_ns)] += 1

    def mark(self, *, now_ns: int) -> None:
        """Read the clocks whenever a block boundary has been passed; to be called often."""
        passed = (now_ns - self._measure_from_ns) // self._block_ns + 1
        self._mark_until(min(passed, self._blocks + 1))

    def finish(self) -> None:
        """Close the last block, if the load ended before its boundary was noticed."""
        self._mark_until(self._blocks + 1)

    @property
    def cpu_s(self) -> float:
        return self._marks[-1].cpu_s - self._marks[0].cpu_s

    @property
    def lag_ms_p99(self) -> float:
        return exact_quantile(sorted(self._lag_ns), 0.99) / _NS_PER_MS

    def lag_ms_p99_lately(self) -> float:
        """Return the lag of what was sent since the last call."""
        lately = sorted(self._lag_ns[self._told :])
        self._told = len(self._lag_ns)
        return exact_quantile(lately, 0.99) / _NS_PER_MS

    def blocks(self) -> tuple[BlockAudit, ...]:
        """Return one entry per block; to be called after `finish`."""
        lags: list[list[int]] = [[] for _ in range(self._blocks)]
        for offset_ns, lag_ns in zip(self._offset_ns, self._lag_ns, strict=True):
            lags[self._block_of(offset_ns)].append(lag_ns)
        return tuple(self._audited(block, sorted(lag_ns)) for block, lag_ns in enumerate(lags))

    def _audited(self, block: int, lag_ns: list[int]) -> BlockAudit:
        begin, end = self._stretch(block)
        return BlockAudit(
            lag_ms_p99=exact_quantile(lag_ns, 0.99) / _NS_PER_MS,
            cpu_share=_share(begin.cpu_s, end.cpu_s, begin, end) or 0.0,
            sent=len(lag_ns),
            dropped=self._dropped[block],
            pressure_share=_share(begin.pressure_s, end.pressure_s, begin, end),
            steal_share=_share(begin.steal_s, end.steal_s, begin, end),
        )

    def _block_of(self, offset_ns: int) -> int:
        # The minimum guards the last nanosecond of the load, where rounding may reach one further.
        return min(offset_ns // self._block_ns, self._blocks - 1)

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
