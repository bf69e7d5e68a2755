"""R5: was the instrument itself in order while it measured?

Owns which blocks of a run are void and when the whole run is. It reads what the generator
says of itself and never looks at the latencies: a block must not be dropped for being slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# A request sent late by less than this is noise of the scheduler, not of the measurement;
# for slow objectives a tenth of the threshold is as harmless (JUDGE rule R5).
LAG_MS_P99_FLOOR = 5.0
LAG_SHARE_OF_THRESHOLD = 0.1
# Beyond 80 % of its core the generator queues behind itself, and its queue looks like the app's.
CPU_SHARE_MAX = 0.80
VOID_SHARE_MAX = 0.20


@dataclass(frozen=True, kw_only=True)
class BlockAudit:
    """What the generator says of itself for one block.

    Units:   lag is send time minus intended send time; shares are 0..1 of one core. The
             machine's pressure and steal are None where the kernel does not tell.
    """

    lag_ms_p99: float
    cpu_share: float
    sent: int = 0
    dropped: int = 0
    pressure_share: float | None = None  # time some task waited for a CPU; the app under load causes it too
    steal_share: float | None = None  # time the hypervisor gave to others


def void_blocks(audits: Sequence[BlockAudit], *, threshold_ms: float) -> tuple[bool, ...]:
    """Say for each block whether its numbers may not be used for an objective at `threshold_ms`.

    Drops do not void a block: a request that could not be sent counts as an exceedance.
    """
    lag_ms_max = max(LAG_MS_P99_FLOOR, LAG_SHARE_OF_THRESHOLD * threshold_ms)
    return tuple(a.lag_ms_p99 > lag_ms_max or a.cpu_share > CPU_SHARE_MAX for a in audits)


def void_together(*arms: Sequence[bool]) -> tuple[bool, ...]:
    """Say which blocks of a duet are void: those that are in any arm, for all arms.

    Errors:  ValueError when the arms have not the same number of blocks.
    """
    return tuple(any(block) for block in zip(*arms, strict=True))


def is_run_valid(voids: Sequence[bool]) -> bool:
    """True when at most 20 % of the blocks are void, and there was at least one block."""
    return bool(voids) and sum(voids) <= VOID_SHARE_MAX * len(voids)


def why_void(audits: Sequence[BlockAudit], *, threshold_ms: float) -> str:
    """Return one sentence on the void blocks, or the empty text when there are none."""
    voids = void_blocks(audits, threshold_ms=threshold_ms)
    if not any(voids):
        return ""
    lag_ms = max(a.lag_ms_p99 for a in audits)
    cpu_share = max(a.cpu_share for a in audits)
    return (
        f"{sum(voids)} of {len(voids)} blocks are void: the load generator was late by up to {lag_ms:.1f} ms (p99) "
        f"and used up to {cpu_share:.0%} of its core; the machine was too busy to measure on."
    )
