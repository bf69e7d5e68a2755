"""What was decided is held while nothing it depends on changes; whatever changes is asked anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages import ALL_CHECKS
from tests.gauntlet.repository.conftest import Ask, git, lay

HELD = "unchanged since"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "app"
    lay(folder, {"shop.py": "def total() -> int:\n    return 1\n"})
    return folder


async def test_a_second_run_is_held_and_a_changed_file_is_looked_at(ask: Ask, app: Path) -> None:
    first = (await ask("code.lint"))["ruff"]
    assert HELD not in first.title
    second = (await ask("code.lint"))["ruff"]
    assert second.verdict is Verdict.PASS
    assert second.title.startswith(f"{first.title}; {HELD} ")
    assert second.title.endswith(", held")
    lay(app, {"shop.py": "def total() -> int:\n    return amuont\n"})
    assert {f.verdict: HELD in f.title for f in (await ask("code.lint")).values()} == {Verdict.FAIL: False}
    assert {f.verdict: HELD in f.title for f in (await ask("code.lint")).values()} == {Verdict.FAIL: True}


async def test_settings_count_and_so_does_a_file_that_is_new(ask: Ask, app: Path) -> None:
    await ask("code.lint")
    lay(app, {"ruff.toml": "line-length = 100\n"})
    assert HELD not in (await ask("code.lint"))["ruff"].title
    lay(app, {"empty.py": ""})
    assert HELD not in (await ask("code.lint"))["ruff"].title


async def test_a_commit_alone_has_the_history_read_again(ask: Ask, app: Path) -> None:
    git(app, "init")
    git(app, "add", ".")
    git(app, "commit", "-m", "one")
    await ask("build.secrets")
    assert HELD in (await ask("build.secrets"))["files"].title
    git(app, "commit", "--allow-empty", "-m", "two")
    assert HELD not in (await ask("build.secrets"))["files"].title


async def test_what_a_run_leaves_in_the_apps_own_folder_has_nothing_read_again(
    app: Path, tmp_path: Path
) -> None:
    git(app, "init")
    target = Target(name="app", kind="command", manifest=Manifest(app="app"), start=("x",), folder=str(app))

    async def title(report: Path) -> str:
        (finding,) = (await run(target, ALL_CHECKS, only="build.secrets", folder=report)).findings
        lay(report, {"report.json": finding.title})
        lay(app, {".shipworthy/logs/web.log": finding.title})
        return finding.title

    for report in (app / "report" / "delivery", app / "verdicts"):
        await title(report)
        assert HELD in await title(report)
    lay(app, {"verdicts.txt": "new"})
    assert HELD not in await title(app / "verdicts")


async def test_what_was_not_measured_is_asked_again(ask: Ask, app: Path) -> None:
    await ask("code.format")
    (finding,) = (await ask("code.format")).values()
    assert (finding.verdict, HELD in finding.title) == (Verdict.NOT_MEASURED, False)


async def test_a_spoilt_or_unwritable_cache_costs_time_only(ask: Ask, app: Path, tmp_path: Path) -> None:
    await ask("code.lint")
    (kept,) = (tmp_path / "cache" / "shipworthy" / "held").glob("*.json")
    kept.write_text("[{")
    assert HELD not in (await ask("code.lint"))["ruff"].title
    kept.unlink()
    kept.mkdir()
    assert (await ask("code.lint"))["ruff"].verdict is Verdict.PASS
