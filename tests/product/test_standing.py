"""In production: the fleet on a database that is there already, a version brought out, and an orderly end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from shipworthy.kernel.db.migrate import LOGIN_ROLES, bootstrap
from shipworthy.kernel.db.setup import role_url
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from tests.support.ledger import PASSWORDS
from tests.support.postgres import run_sql
from tests.support.processes import wait_for_none_of
from tests.support.up import SHIPWORTHY, scaffold, shipworthy

pytestmark = [pytest.mark.product, pytest.mark.xdist_group("product")]
TIMEOUT_S = 120.0


def test_a_version_comes_out_in_production_as_on_a_laptop(cluster: PostgresAddress, tmp_path: Path) -> None:
    home, state, port = scaffold(tmp_path / "shop"), tmp_path / "state", free_port()
    name = f"standing_{uuid.uuid4().hex[:8]}"
    run_sql(cluster, f'create database "{name}"')
    env = {
        "SHIPWORTHY_STATE": str(state),
        "SHIPWORTHY_REALM": str(uuid.uuid4()),
        "SHIPWORTHY_SIGNING_KEY": "k" * 40,
        "SHIPWORTHY_DB_URL_ADMIN": cluster.url(name),
        **{
            f"SHIPWORTHY_DB_URL_{role.upper()}": role_url(cluster.url(name), role, PASSWORDS[role])
            for role in LOGIN_ROLES
        },
    }
    asyncio.run(bootstrap(cluster.url(name), passwords=PASSWORDS))
    migrated = shipworthy("migrate", "up", cwd=home, env=env)
    assert migrated.returncode == 0, migrated.stderr
    log = tmp_path / "serve.log"
    with log.open("wb") as out:
        serving = subprocess.Popen(
            [*SHIPWORTHY, "serve", "--deployable", "--port", str(port)],
            cwd=home, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        until(lambda: "serves at" in log.read_text(), serving, log)
        assert title(port).endswith("Shop")
        (home / "app.toml").write_text(
            (home / "app.toml").read_text().replace('name = "Shop"', 'name = "Shop Two"')
        )
        done = shipworthy(
            "deploy", "--state", str(state), "--weights", "100", "--stage", "2s", "--json",
            cwd=home, env=env, timeout_s=TIMEOUT_S,
        )  # fmt: skip
        assert (done.returncode, json.loads(done.stdout)["decision"]) == (0, "promoted"), done.stderr
        assert title(port).endswith("Shop Two")
        web = next(p for p in json.loads((state / "deploy" / "status.json").read_text())["members"].values())
        assert "DB_URL_ADMIN" not in Path(f"/proc/{web['pid']}/environ").read_text()
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=TIMEOUT_S) == 0
    wait_for_none_of(state, timeout_s=30.0)
    assert not (state / "deploy" / "environment.json").exists()


def until(is_so, process: subprocess.Popen[bytes], log: Path) -> None:  # type: ignore[no-untyped-def]
    deadline_s = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert process.poll() is None and time.monotonic() < deadline_s, log.read_text()
        time.sleep(0.05)


def title(port: int) -> str:
    with urllib.request.urlopen(f"http://localhost:{port}/login", timeout=TIMEOUT_S) as answer:
        page: str = answer.read().decode()
    return page.partition("<title>")[2].partition("</title>")[0].strip()
