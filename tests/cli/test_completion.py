"""The Tab key: commands, their options, and the script that asks for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import shipworthy

PROGRAM = Path(sys.executable).with_name("shipworthy")


def completed(*words: str) -> list[str]:
    """Return what bash is offered for the last of these words."""
    done = subprocess.run(
        [PROGRAM],
        env={
            **os.environ,
            "_SHIPWORTHY_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["shipworthy", *words]),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_and_options_are_offered() -> None:
    assert completed("up") == ["upgrade", "up"]
    assert "--from" in completed("new", "--f")
    assert completed("add", "ro") == ["room"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(tmp_path: Path, shell: str) -> None:
    done = shipworthy("completion", shell, cwd=tmp_path)
    assert f"_SHIPWORTHY_COMPLETE={shell}_complete" in done.stdout, done.stderr
