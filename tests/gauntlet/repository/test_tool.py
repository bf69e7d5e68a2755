"""No tool is believed before it has found what was planted for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of


def _tool(*found: str, always: str = "", name: str = "true") -> Tool:
    async def scan(_program: str, folder: Path) -> list[Hit]:
        return [
            Hit(path=path, line=1, rule="rule", message="")
            for path in ({*found} & {*os.listdir(folder)}) | ({always} if always else set())
        ]

    return Tool(
        name=name,
        install="Install it.",
        scan=scan,
        planted=lambda: {"bad": "x", "worse": "x"},
        sound={"good": "x"},
    )


async def test_a_tool_that_finds_the_planted_is_asked(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("x")
    assert [hit.where for hit in await hits(_tool("bad", "worse"), tmp_path)] == ["bad:1"]


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (_tool("bad", "worse", name="no-such-program"), "is not installed"),
        (_tool("bad"), "did not find the defect planted"),
        (_tool("bad", "worse", always="good"), "where nothing is"),
    ],
)
async def test_one_that_is_absent_blind_or_alarmist_is_not_measured(
    tool: Tool, why: str, tmp_path: Path
) -> None:
    with pytest.raises(Unmeasurable, match=why) as refused:
        await hits(tool, tmp_path)
    assert refused.value.fix == "Install it."


async def test_a_tool_that_fails_says_how(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="exit status 3: oh no"):
        await output_of("/bin/sh", ["-c", "echo oh no >&2; exit 3"], cwd=tmp_path)
