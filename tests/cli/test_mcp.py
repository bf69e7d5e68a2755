"""`shipworthy mcp`, asked by the official client: four tools over a project, and nothing beside it. Covers: tools."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from shipworthy.cli.mcp import command
from shipworthy.gauntlet.report.document import write_json
from shipworthy.local.ports import free_port
from tests.support.results import failing_result, finding, run_result

LEAK = "isolation.tenant_leak:document"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "gauntlet.toml").write_text(
        f'[target]\nname = "Acme"\nurl = "http://127.0.0.1:{free_port()}"\n'
    )
    (tmp_path / "report").mkdir()
    write_json(failing_result(), tmp_path / "report" / "report.json")
    return tmp_path


@asynccontextmanager
async def session(app: Path) -> AsyncIterator[ClientSession]:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "shipworthy", "mcp", "--target", str(app / "gauntlet.toml")],
        cwd="/",  # an agent starts it wherever it stands
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as client:
        await client.initialize()
        yield client


async def said(client: ClientSession, tool: str, **arguments: str) -> tuple[str, bool]:
    answer = await client.call_tool(tool, arguments)
    return "".join(part.text for part in answer.content if part.type == "text"), bool(answer.isError)


async def test_an_agent_reads_the_verdict_the_list_and_one_finding_whole(app: Path) -> None:
    failed = failing_result()
    async with session(app) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["verdict", "list_findings", "explain", "run_only"]
        assert tools["explain"].annotations is not None
        assert tools["explain"].annotations.readOnlyHint
        verdict, _ = await said(client, "verdict")
        assert "Acme fails 4 checks" in verdict
        listed, _ = await said(client, "list_findings")
        first = listed.splitlines()[1].split("  ", 2)[2]
        assert first in {one.id for one in failed.findings}
        held, _ = await said(client, "list_findings", which="pass")
        assert "PASS" in held
        whole, is_error = await said(client, "explain", id=first)
        assert not is_error
        assert "done when: that command exits with 0" in whole
        tasks, _ = await said(client, "explain")
        assert "4 tasks, most urgent first" in tasks


async def test_what_does_not_exist_or_lies_elsewhere_is_refused_and_the_session_goes_on(app: Path) -> None:
    async with session(app) as client:
        unknown, is_error = await said(client, "explain", id="../../etc/passwd")
        assert is_error
        assert "list_findings tells the ids" in unknown
        unknown, is_error = await said(client, "run_only", id="x --target /etc/passwd")
        assert is_error
        _, is_error = await said(client, "list_findings", which="all of them")
        assert is_error
        (app / "report" / "report.json").unlink()
        missing, is_error = await said(client, "verdict")
        assert is_error
        assert "run shipworthy gauntlet in the project first" in missing


async def test_one_finding_is_examined_again_beside_the_report_that_lists_the_tasks(app: Path) -> None:
    open_finding = finding("headers.security", "GET /", "a page lets every script in")
    write_json(run_result(findings=(open_finding,)), app / "report" / "report.json")
    before = (app / "report" / "report.json").read_bytes()
    async with session(app) as client:
        text, is_error = await said(client, "run_only", id=open_finding.id)
    assert not is_error
    assert text.startswith("It is not done.")  # nobody answers there, and nothing was measured
    assert (app / "report" / "report.json").read_bytes() == before
    assert (app / "report" / "only" / "report.json").is_file()


def test_it_serves_one_project_and_writes_nowhere_else(app: Path, tmp_path: Path) -> None:
    refused = CliRunner().invoke(command, ["--home", str(tmp_path)])
    assert "there is no app.toml" in refused.output
    refused = CliRunner().invoke(command, ["--target", str(app / "gauntlet.toml"), "--report", "/tmp"])
    assert "must lie within" in refused.output
