"""An app's folder that is looked at and never started."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import CodeCommand, Flag, Manifest, Migrations
from shipworthy.contract.target import Target
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages import ALL_CHECKS

Ask = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask one check about `tmp_path/app`; return its findings by subject."""

    async def asked(
        check: str,
        *,
        start: tuple[str, ...] = ("no-such-program",),
        code: tuple[CodeCommand, ...] = (),
        migrations: Migrations | None = None,
        flags: tuple[Flag, ...] = (),
    ) -> dict[str, Finding]:
        folder = tmp_path / "app"
        folder.mkdir(exist_ok=True)
        manifest = Manifest(app="app", code=code, migrations=migrations, flags=flags)
        target = Target(name="app", kind="command", manifest=manifest, start=start, folder=str(folder))
        result = await run(target, ALL_CHECKS, only=check, folder=tmp_path / "report")
        assert result.valid, result.notes
        return {finding.subject: finding for finding in result.findings}

    return asked


def lay(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def names_in(folder: Path) -> list[str]:
    """What a folder holds now."""
    return sorted(path.name for path in folder.iterdir())


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, as nobody in particular."""
    who = ["-c", "user.name=Test", "-c", "user.email=test@test.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)
