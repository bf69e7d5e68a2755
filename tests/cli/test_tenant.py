"""What an operator types about tenants: what they use, what they are given, and whether it adds up.

Covers: tenant_usage, reached.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipworthy.cli.tenant import command
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    (tmp_path / "app.toml").write_text(
        '[app]\nname = "Studio"\nrooms = ["auth"]\n[quotas]\nmails_max = 100\n', encoding="utf-8"
    )
    async with app_running(cluster, (ROOM,), tmp_path / "state") as running:
        yield running


async def _typed(app: RunningApp, tmp_path: Path, *arguments: str) -> Result:
    """Type a command. It runs a loop of its own, so it has a thread of its own."""
    environment = {"SHIPWORTHY_DB_URL_ADMIN": app.url("admin")}
    arguments = (*arguments, "--home", str(tmp_path))
    return await asyncio.to_thread(CliRunner().invoke, command, list(arguments), env=environment)


async def test_an_operator_gives_a_tenant_more_and_sees_it(app: RunningApp, tmp_path: Path) -> None:
    tenant_id = str(await app.add_tenant("Acme"))
    await app.add_tenant("Beta")
    table = await _typed(app, tmp_path, "usage")
    assert table.exit_code == 0 and "Acme" in table.output and "no limit" in table.output
    assert "0 of" not in table.output and "100 mails" in table.output
    given = await _typed(app, tmp_path, "limit", tenant_id, "mails", "2500")
    assert given.output == f"{tenant_id}: mails is 2,500 mails\n"
    one = json.loads((await _typed(app, tmp_path, "usage", tenant_id, "--json")).output)
    assert {row["tenant"] for row in one} == {"Acme"}
    assert {row["meter"]: row["most"] for row in one}["mails"] == 2_500
    assert "as much as it wants" in (await _typed(app, tmp_path, "limit", tenant_id, "pdf_ms", "none")).output
    assert (
        "what everybody has" in (await _typed(app, tmp_path, "limit", tenant_id, "mails", "default")).output
    )


async def test_what_is_mistyped_is_said(app: RunningApp, tmp_path: Path) -> None:
    tenant_id = str(await app.add_tenant("Acme"))
    nobody = "00000000-0000-7000-8000-000000000000"
    for arguments, said in (
        (("limit", tenant_id, "pdfs", "5"), "Meters: pdf_ms"),
        (("limit", tenant_id, "pdf_ms", "5 GB"), "no amount of pdf_ms"),
        (("limit", nobody, "mails", "5"), "there is no tenant"),
        (("usage", "acme"), "not a valid UUID"),
        (("usage", nobody), "there is no tenant"),
    ):
        done = await _typed(app, tmp_path, *arguments)
        assert done.exit_code == 2 and said in done.output, done.output


async def test_a_budget_that_does_not_add_up_is_named(app: RunningApp, tmp_path: Path) -> None:
    tenant_id = await app.add_tenant("Acme")
    clean = await _typed(app, tmp_path, "usage", "--check")
    assert clean.exit_code == 0 and "every budget says" in clean.output
    await app.admin(
        "insert into budget (tenant_id, meter, period, used) values ($1, 'mails', '2026-11-01', 5)", tenant_id
    )
    broken = await _typed(app, tmp_path, "usage", "--check")
    assert broken.exit_code == 1 and "used 5, events say 0" in broken.output
