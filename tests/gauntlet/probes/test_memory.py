"""memory.slope: a heap that never stops growing is a leak, one that fills up is not.

Covers: process_tree.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tests
from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.start import started
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes.memory import BLOCK_REQUESTS, BOUND_BYTES, PHASE_BLOCKS, PHASES, verdict_of
from shipworthy.gauntlet.probes.process_tree import anonymous_bytes, cpu_s
from tests.gauntlet.conftest import check_named

MEMORY = check_named("memory.slope")
ROOT = Path(tests.__file__).parent.parent


async def ask(scratch: Path, *habits: str) -> Finding:
    command = (sys.executable, "-m", "tests.support.leaky_app", "{port}", *habits)
    target = Target(
        name="Leaky", kind="command", manifest=Manifest(app="Leaky"), start=command, workdir=str(ROOT)
    )
    async with started(target, scratch) as instance:
        exam = Exam(target, instance, mode="full")
        exam.begin(PlannedCheck(check=MEMORY))
        try:
            [found] = await MEMORY.run(exam)
        finally:
            await exam.close()
    return found


async def test_what_is_kept_for_each_unknown_address_is_a_leak_and_traced_to_it(tmp_path: Path) -> None:
    found = await ask(tmp_path, "keeps_addresses")
    assert found.verdict is Verdict.FAIL
    growth = found.measures[0]
    assert growth.low is not None and growth.low > BOUND_BYTES  # half of 6,000 bytes
    assert growth.estimate < 6_000
    assert "addresses nobody has" in found.cause
    assert "addresses nobody has" in found.evidence[0].text.splitlines()[1]


async def test_a_server_that_keeps_nothing_stands_still(tmp_path: Path) -> None:
    found = await ask(tmp_path)
    assert found.verdict is Verdict.PASS, found
    assert "7,000 requests" in found.title


def curve(bytes_at: Callable[[int], float], *, noise_bytes: float = 100_000) -> list[tuple[float, float]]:
    noise = random.Random(7)
    steps = [(n + 1) * BLOCK_REQUESTS for n in range(PHASES * PHASE_BLOCKS)]
    return [(n, 50e6 + bytes_at(n) + noise.gauss(0, noise_bytes)) for n in steps]


@pytest.mark.parametrize(
    ("bytes_at", "verdict"),
    [
        (lambda n: 0, Verdict.PASS),
        (lambda n: 4_000 * n, Verdict.FAIL),
        (lambda n: 4_000 * min(n, 3_000), Verdict.PASS),  # a cache that is full
        (lambda n: 30e6 if n > 3_000 else 0, Verdict.PASS),  # one jump
        (lambda n: -500 * n, Verdict.PASS),
        (lambda n: BOUND_BYTES * n, Verdict.INCONCLUSIVE),
    ],
)  # fmt: skip
def test_only_what_never_stops_growing_fails(bytes_at: Callable[[int], float], verdict: Verdict) -> None:
    assert verdict_of(curve(bytes_at)) is verdict


def test_the_memory_of_children_counts_and_a_process_that_is_gone_is_told() -> None:
    own = anonymous_bytes([os.getpid()])
    assert own > 10_000_000
    held = bytearray(os.urandom(1)) * 50_000_000
    assert anonymous_bytes([os.getpid()]) - own > 40_000_000
    assert len(held) == 50_000_000
    with pytest.raises(Undecided, match="is gone"):
        anonymous_bytes([2**22 + 1])


async def test_children_are_found_below_their_parent(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.support.leaky_app", "{port}")
    target = Target(
        name="Leaky", kind="command", manifest=Manifest(app="Leaky"), start=command, workdir=str(ROOT)
    )
    async with started(target, tmp_path) as instance:
        for _ in range(1_000):  # until the child has begun
            if anonymous_bytes([instance.handle.processes[0].pid]) > 30_000_000:
                return
            await asyncio.sleep(0.01)
    raise AssertionError("the child was not counted")


def test_cpu_is_that_of_a_process_and_of_what_it_started() -> None:
    import subprocess
    import sys

    busy = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {busy!r}])\ninput()"
    with subprocess.Popen([sys.executable, "-c", parent + "\n"], stdin=subprocess.PIPE) as child:
        before = cpu_s([child.pid])
        deadline = time.monotonic() + 60
        while cpu_s([child.pid]) < before + 0.3 and time.monotonic() < deadline:
            pass  # the child below it is busy; nothing is measured but that it is counted
        used = cpu_s([child.pid])
        child.kill()
    assert used >= before + 0.3
    assert cpu_s([child.pid]) == 0.0
