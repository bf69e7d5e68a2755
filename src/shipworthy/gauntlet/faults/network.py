"""The faults network.*: the way between the app and one of its needs ("database", "mail") is bad.

Each lies in the examiner's own proxy (`Exam.proxy`), which ends it with its lease or with us.
"""

from __future__ import annotations

from typing import Literal

from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.proxy.proxies import Proxy
from shipworthy.gauntlet.proxy.toxic import Toxic

LATENCY, BANDWIDTH, RESET = "network.latency", "network.bandwidth", "network.reset"
BLACKHOLE, DOWN = "network.blackhole", "network.down"
NAMES = (LATENCY, BANDWIDTH, RESET, BLACKHOLE, DOWN)

Stream = Literal["both", "upstream", "downstream"]


class Disturbance:
    """A disturbance that is in force. `heal` ends it, any number of times."""

    def __init__(self, proxy: Proxy, toxic: str) -> None:
        self._proxy, self._toxic = proxy, toxic

    async def is_over(self) -> bool:
        return self._toxic not in (await self._proxy.state()).toxics

    async def heal(self) -> None:
        await self._proxy.remove(self._toxic)


async def delay(
    exam: Exam,
    need: str,
    *,
    latency_ms: float,
    jitter_ms: float = 0.0,
    stream: Stream = "downstream",
    lease_s: float,
) -> Disturbance:
    """Everything takes longer: by `latency_ms`, give or take `jitter_ms`, in each direction named."""
    toxic = Toxic(kind="latency", latency_ms=latency_ms, jitter_ms=jitter_ms, stream=stream)
    return await disturb(exam, need, toxic, lease_s=lease_s)


async def throttle(
    exam: Exam, need: str, *, kb_per_s: float, stream: Stream = "both", lease_s: float
) -> Disturbance:
    """No more than `kb_per_s` passes in each direction named."""
    return await disturb(
        exam, need, Toxic(kind="bandwidth", kb_per_s=kb_per_s, stream=stream), lease_s=lease_s
    )


async def reset(exam: Exam, need: str, *, after_ms: float = 0.0, lease_s: float) -> Disturbance:
    """Every connection, also one that exists, is reset after this long; new ones are accepted."""
    return await disturb(exam, need, Toxic(kind="reset_peer", timeout_ms=after_ms), lease_s=lease_s)


async def blackhole(exam: Exam, need: str, *, stream: Stream = "both", lease_s: float) -> Disturbance:
    """Connections stay, and nothing passes: what a partition looks like from inside."""
    return await disturb(exam, need, Toxic(kind="timeout", stream=stream), lease_s=lease_s)


async def take_down(exam: Exam, need: str, *, lease_s: float) -> Disturbance:
    """Connections are reset and new ones refused, as when the other side is dead."""
    return await disturb(exam, need, Toxic(kind="down"), lease_s=lease_s)


async def disturb(exam: Exam, need: str, toxic: Toxic, *, lease_s: float) -> Disturbance:
    """Put any toxic into force until the check ends, at the latest until the lease does.

    Errors:  Undecided when the app does not reach `need` through a proxy; ValueError for numbers
             that cannot be.
    """
    proxy = exam.proxy(need)
    # Before it is in force: a check that is cancelled meanwhile heals all of this proxy.
    exam.heal_later(f"the way to {need} was disturbed ({toxic.kind})", proxy.clear)
    return Disturbance(proxy, await proxy.add(toxic, lease_s=lease_s))
