"""Building Argon2 here: replaced only by what makes the same hashes faster. Nothing is built or fetched in tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipworthy.local.argon2_build import Built, build, is_built_here, why_not
from shipworthy.local.errors import BuildFailed

UV = ["/opt/uv", "pip", "install"]


class Runs:
    """Stands in for the commands: the probe says what it is told, before and after."""

    def __init__(self, *, before: tuple[str, float], after: tuple[str, float]) -> None:
        self._said = {True: after, False: before}
        self.installed: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str], environment: dict[str, str]) -> str:
        if "install" in command:
            assert environment["ARGON2_CFFI_USE_SSE2"] == "1"
            self.installed.append(command)
            return ""
        made, took_ms = self._said["PYTHONPATH" in environment]
        return json.dumps({"hash": made, "ms": took_ms})


def test_a_faster_build_of_the_same_version_is_put_in_place() -> None:
    runs = Runs(before=("ab", 24.0), after=("ab", 13.0))
    assert build(install=UV, run=runs) == Built(before_ms=24.0, after_ms=13.0)
    tried, kept = runs.installed
    assert "--target" in tried
    assert "--target" not in kept
    assert all("--no-binary" in command and "==" in command[-1] for command in runs.installed)


@pytest.mark.parametrize(
    ("after", "reason"),
    [(("cd", 13.0), "other hashes"), (("ab", 23.0), "23.0 ms a hash and the old one 24.0")],
)
def test_one_that_hashes_otherwise_or_no_faster_is_thrown_away(after: tuple[str, float], reason: str) -> None:
    runs = Runs(before=("ab", 24.0), after=after)
    with pytest.raises(BuildFailed, match=reason):
        build(install=UV, run=runs)
    assert len(runs.installed) == 1


def test_a_command_that_fails_or_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="false failed"):
        build(install=["/bin/false"])
    with pytest.raises(BuildFailed, match="did not run to its end"):
        build(install=[str(tmp_path / "none")])


def test_a_processor_without_avx2_gets_no_build(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu sse2\n")
    assert "AVX2" in why_not(info) or "x86-64" in why_not(info)
    assert why_not(tmp_path / "none")
    assert is_built_here() in (True, False)
