"""The command line as a person uses it: a process, its words and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = '[app]\nname = "Toy"\nrooms = ["auth"]\n'


def shipworthy(
    *arguments: str | bytes, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SHIPWORTHY_")}
    return subprocess.run(
        [sys.executable, "-m", "shipworthy", *arguments],
        cwd=cwd,
        env={**own, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one sentence that holds `words`, without a traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A small app's folder."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "app.toml").write_text(APP, encoding="utf-8")
    return folder
