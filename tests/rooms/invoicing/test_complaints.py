"""Every test that the page of complaints names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "invoicing-complaints.md"


@pytest.mark.parametrize(("letter", "how_many"), [("", 10), ("P", 14)], ids=["complaints", "laws"])
def test_each_row_names_tests_that_exist(letter: str, how_many: int) -> None:
    rows = re.findall(rf"^\| {letter}(\d+) \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _row in rows] == list(range(1, how_many + 1))
    for number, row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, number
        assert missing(named) == [], number


def test_a_test_that_is_gone_is_noticed() -> None:
    assert missing([("test_tax.py", "test_nobody_wrote")]) == ["test_tax.py::test_nobody_wrote"]


def missing(named: list[tuple[str, str]]) -> list[str]:
    return [
        f"{file}::{test}"
        for file, test in named
        if f"def {test}(" not in (Path(__file__).parent / file).read_text(encoding="utf-8")
    ]
