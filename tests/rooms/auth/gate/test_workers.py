"""How many hashes at once: by cores, memory and the number of web processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.rooms.auth.gate import workers
from shipworthy.rooms.auth.gate.workers import workers_for, workers_here

GIB = 1024**3


@pytest.mark.parametrize(
    ("cores", "memory_bytes", "hash_memory_kib", "processes", "expected"),
    [
        (8, 16 * GIB, 19_456, 1, 7),
        (8, 16 * GIB, 19_456, 2, 3),
        (1, 16 * GIB, 19_456, 1, 1),
        (2, 16 * GIB, 19_456, 4, 1),
        (64, 1 * GIB, 65_536, 1, 4),  # a quarter of the memory holds four hashes of 64 MiB
        (64, 1 * GIB, 2_097_152, 1, 1),
    ],
)
def test_hashes_leave_room_for_everything_else(
    cores: int, memory_bytes: int, hash_memory_kib: int, processes: int, expected: int
) -> None:
    found = workers_for(
        cores=cores,
        memory_bytes=memory_bytes,
        hash_memory_kib=hash_memory_kib,
        cores_reserved=1,
        processes=processes,
    )
    assert found == expected


def test_a_container_counts_by_what_it_was_granted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_CGROUP", tmp_path)
    machine = (workers.cores(), workers.memory_bytes())
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text("104857600\n")
    assert (workers.cores(), workers.memory_bytes()) == (1, 104_857_600)
    assert workers_here(hash_memory_kib=19_456, cores_reserved=0, processes=1) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (workers.cores(), workers.memory_bytes()) == machine
