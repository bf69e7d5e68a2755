"""Dangerous constructs are found in source, grouped by file and rule; where there is no source, nothing is claimed."""

from __future__ import annotations

from pathlib import Path

from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask


async def test_each_file_and_rule_is_one_finding(ask: Ask, tmp_path: Path) -> None:
    app = tmp_path / "app"
    (app / ".venv").mkdir(parents=True)
    (app / "shop.py").write_text("eval(input())\neval(input())\nimport pickle\npickle.loads(b'')\n")
    (app / ".venv" / "theirs.py").write_text("eval(input())\n")
    found = await ask("build.static")
    assert {subject: f.verdict for subject, f in found.items()} == {
        "shop.py:S307": Verdict.FAIL,
        "shop.py:S301": Verdict.FAIL,
    }
    assert found["shop.py:S307"].source == "shop.py:1"
    assert "1 times more" in found["shop.py:S307"].title


async def test_harmless_source_passes_and_no_source_is_not_measured(ask: Ask, tmp_path: Path) -> None:
    (only,) = (await ask("build.static")).values()
    assert only.verdict is Verdict.NOT_MEASURED
    (tmp_path / "app" / "shop.py").write_text("print(1)\n")
    (only,) = (await ask("build.static")).values()
    assert only.verdict is Verdict.PASS


async def test_a_file_that_is_no_python_is_not_called_harmless(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "broken.py").write_text("def broken(:\n")
    (tmp_path / "app" / "binary.py").write_bytes(b"\xff\xfe")
    (tmp_path / "app" / "shop.py").write_text("eval(input())\n")
    found = await ask("build.static")
    assert {subject: f.verdict for subject, f in found.items()} == {
        "shop.py:S307": Verdict.FAIL,
        "unread": Verdict.NOT_MEASURED,
    }
    assert "binary.py, broken.py" in found["unread"].title
    assert "broken.py:1" in found["unread"].evidence[0].text
