"""Formatting what was written, by ruff and the app's own settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

TIMEOUT_S = 60


def tidied(paths: Sequence[Path], *, home: Path) -> bool:
    """Sort imports and format; False when ruff is not installed, and everything stays as it was written."""
    if find_spec("ruff") is None:
        return False
    places = [str(path) for path in paths]
    for command in (["check", "--fix", "--select", "I", "--exit-zero"], ["format"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", *places],
            cwd=home,
            timeout=TIMEOUT_S,
            capture_output=True,
            check=False,
        )
    return True
