"""Log files are private, appended to, and set aside when they grow."""

from __future__ import annotations

from pathlib import Path

from shipworthy.local.logs import log_since, open_log


def test_a_log_is_appended_to_and_private(tmp_path: Path) -> None:
    path = tmp_path / "logs/web.log"
    for line in (b"one\n", b"two\n"):
        with open_log(path) as log:
            log.write(line)
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_over_the_bound_is_set_aside_and_only_one_old_one_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    for letter in (b"a", b"b", b"c"):
        with open_log(path, size_bytes_max=10) as log:
            log.write(letter * 11)
    assert path.read_bytes() == b"c" * 11
    assert (tmp_path / "web.log.1").read_bytes() == b"b" * 11
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_written_since_is_quoted_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("before\n" + "x" * 100 + "last\n")
    assert log_since(path, offset=len("before\n"), bytes_max=1000) == "x" * 100 + "last\n"
    assert log_since(path, offset=0, bytes_max=5) == "last\n"
