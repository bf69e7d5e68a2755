"""`shipworthy audit` beside a running app's database. Covers: audit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.kernel.audit.personal import record_personal
from shipworthy.kernel.audit.sealer import seal_due
from shipworthy.local.postgres import PostgresAddress
from tests.cli.conftest import assert_refused, shipworthy
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running

KEY = "a key of at least thirty-two letters"


@pytest.fixture
async def toy(cluster: PostgresAddress, home: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (ROOM,), home) as running:
        yield running


async def test_a_trail_is_proven_anchored_exported_and_erased_of_somebody(
    toy: RunningApp, home: Path
) -> None:
    env = {
        "SHIPWORTHY_REALM": str(toy.runtime.realm_id),
        "SHIPWORTHY_STATE": str(home),
        "SHIPWORTHY_SIGNING_KEY": "tests",
        "SHIPWORTHY_AUDIT_KEYS": f"{KEY},default",
        **{f"SHIPWORTHY_DB_URL_{role.upper()}": toy.url(role) for role in ("app", "worker", "auditor")},
    }

    def run(*arguments: str, fails: bool = False) -> str:
        done = shipworthy("audit", *arguments, cwd=home, env=env)
        assert done.returncode == (1 if fails else 0), done.stderr
        return done.stdout

    tenant = await toy.add_tenant()
    ctx = toy.ctx(tenant_id=tenant)
    for number in range(3):
        async with ctx.begin() as tx:
            values = {"email": "ida@example.test"}
            await record_personal(
                ctx,
                "note.sent",
                of="note",
                id=number,
                personal=values,
                subject="address:ida@example.test",
                tx=tx,
            )
    async with toy.role("worker") as worker:
        await seal_due(worker)

    assert "anchor 1 is in" in run("anchor")
    assert "no chain grew" in run("anchor")
    assert "1 of 1 chains hold: 3 rows, 3 of them anchored (1 anchors)" in run("verify")
    out = home / "trail"
    assert "3 rows in" in run("export", "--tenant", str(tenant), "--format", "csv", "--out", str(out))
    key = run("keys").split()[1]
    assert "which you trust" in run("verify", "--export", str(out), "--key", key)
    assert json.loads(run("verify", "--export", str(out), "--json"))["is_key_known"] is False
    assert "3 values erased" in run("erase", "--tenant", str(tenant), "--subject", "address:ida@example.test")
    assert "nothing is kept" in run("erase", "--tenant", str(tenant), "--subject", "address:ida@example.test")

    await toy.admin("update audit set at = at - interval '1 day' where seq = 2")
    assert f"BROKEN {tenant} at row 2" in run("verify", "--tenant", str(tenant), fails=True)
    told = json.loads(run("verify", "--json", fails=True))
    assert (told["holds"], told["chains"][0]["broken"]["seq"]) == (False, 2)
    (out / "audit.csv").write_text((out / "audit.csv").read_text().replace("note.sent", "note.kept", 1))
    assert "BROKEN at row 1" in run("verify", "--export", str(out), fails=True)

    for arguments, word in (
        (("verify", "--key", key), "--export"),
        (("verify", "--export", str(out), "--key", "zz"), "no public key"),
        (("verify", "--export", str(home)), "manifest.json"),
        (
            (
                "export",
                "--tenant",
                str(tenant),
                "--from",
                "2026-02-01",
                "--to",
                "2026-01-01",
                "--out",
                str(out),
            ),
            "--from",
        ),
    ):
        assert_refused(shipworthy("audit", *arguments, cwd=home, env=env), word)
    short = {**env, "SHIPWORTHY_AUDIT_KEYS": "short"}
    assert_refused(shipworthy("audit", "keys", cwd=home, env=short), "SHIPWORTHY_AUDIT_KEYS", "32")
    wrong = {**env, "SHIPWORTHY_AUDIT_TRUSTED": "zz"}
    assert_refused(shipworthy("audit", "verify", cwd=home, env=wrong), "SHIPWORTHY_AUDIT_TRUSTED")
