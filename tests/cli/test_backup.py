"""`shipworthy backup` and `restore` where there is nothing yet; what they do is shown in tests/product/test_backup.py.

Covers: restore.
"""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import assert_refused, shipworthy


def test_there_is_nothing_to_back_up_or_to_restore_yet(home: Path) -> None:
    assert_refused(shipworthy("backup", cwd=home), "no database", "shipworthy up")
    assert_refused(shipworthy("restore", "--to", "new", cwd=home), "no backup", "shipworthy backup")
    assert_refused(shipworthy("restore", "--to", "new", "--at", "2026-11-28T09:30", cwd=home), "zone")
    check = shipworthy("backup", "check", cwd=home)
    assert (check.returncode, "no backup" in check.stdout) == (1, True)
    (home / "app.toml").write_text(
        (home / "app.toml").read_text(encoding="utf-8") + '[db]\nprovider = "url"\n', encoding="utf-8"
    )
    assert_refused(shipworthy("backup", cwd=home), "whoever runs that database")
    assert sorted(path.name for path in home.iterdir()) == ["app.toml"]
