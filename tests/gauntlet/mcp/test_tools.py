"""The tools over a report: they say what it says, run one thing at a time, and take nothing but ids."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shipworthy.gauntlet.mcp.tools import CHARS_MAX, Project
from shipworthy.gauntlet.mcp.wire import ToolRefused
from shipworthy.gauntlet.report.document import write_json
from tests.support.results import every_result, failing_result

RESULTS = every_result()


def project(folder: Path, name: str) -> Project:
    write_json(RESULTS[name], folder / "report.json")
    return Project(folder, folder, ["--target", "gauntlet.toml"])


@pytest.mark.parametrize("name", sorted(RESULTS))
async def test_every_kind_of_report_is_told_within_what_a_model_reads(tmp_path: Path, name: str) -> None:
    tools = {tool.name: tool for tool in project(tmp_path, name).tools()}
    for tool in ("verdict", "list_findings", "explain"):
        text = await tools[tool].run({})
        assert text
        assert len(text) <= CHARS_MAX + 100
        assert "\x1b" not in text


async def test_one_finding_is_examined_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served, held = project(tmp_path, "fail"), asyncio.Event()

    async def ran(_wanted: object) -> object:
        await held.wait()
        return RESULTS["partial"]

    monkeypatch.setattr(served, "_ran", ran)
    wanted = {"id": failing_result().findings[-1].id}
    first = asyncio.create_task(served.run_only(wanted))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(ToolRefused, match="another finding is being examined"):
        await served.run_only(wanted)
    held.set()
    assert (await first).startswith("It is not done.")
