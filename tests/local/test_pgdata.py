"""What a data directory says of itself. Making and clearing one: test_postgres.py, on real servers."""

from __future__ import annotations

from pathlib import Path

from shipworthy.local.pgdata import PidFile, clear_leftovers, read_pid_file

_READY = "4711\n/data\n1790000000\n5433\n\n127.0.0.1\n  1234 5\nready   \n"


def test_a_pid_file_is_read_at_every_stage_of_its_writing(tmp_path: Path) -> None:
    assert read_pid_file(tmp_path) is None
    for text, expected in (
        ("", None),
        ("4711\n/data\n", PidFile(pid=4711, port=None, is_ready=False)),
        (_READY.replace("ready   ", "starting"), PidFile(pid=4711, port=5433, is_ready=False)),
        (_READY, PidFile(pid=4711, port=5433, is_ready=True)),
        # PostgreSQL writes a negative pid while a single-user session owns the directory.
        ("-4711\n/data\n", PidFile(pid=4711, port=None, is_ready=False)),
    ):
        (tmp_path / "postmaster.pid").write_text(text)
        assert read_pid_file(tmp_path) == expected


def test_a_directory_nobody_works_on_has_nothing_to_clear(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(_READY.replace("4711", str(2**31 - 1)))
    assert clear_leftovers(tmp_path) == []
    assert (tmp_path / "postmaster.pid").exists(), "PostgreSQL's own interlock stays"
