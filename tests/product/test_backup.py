"""`shipworthy backup` and `restore` on a running app: load writes, everything dies, nothing committed is lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipworthy.gauntlet.http import HttpSession, Unanswered
from tests.cli.conftest import assert_refused, shipworthy
from tests.support.postgres import open_directory
from tests.support.processes import wait_for_none_of
from tests.support.up import scaffold, up

pytestmark = [pytest.mark.product, pytest.mark.xdist_group("product")]


@pytest.fixture
def workshop() -> Iterator[Path]:
    with open_directory() as folder:
        yield folder


async def test_load_writes_the_machine_dies_and_nothing_that_was_answered_is_lost(workshop: Path) -> None:
    home = scaffold(workshop / "studio")
    toml = (home / "app.toml").read_text(encoding="utf-8")
    (home / "app.toml").write_text(f"{toml}\n[backup]\ncontinuous = true\n", encoding="utf-8")
    with up(home, "--port", "0", handle=workshop / "handle.json") as running:
        assert "backup" in {process.name for process in running.handle.processes}
        person = running.handle.tenants[0]
        written = await _written_until_killed(running.handle.base_url, person.email, person.password, after=12,
                                              kill=[p.pid for p in running.handle.processes] + [running.process.pid])  # fmt: skip
        running.process.wait()
    wait_for_none_of(workshop, timeout_s=60)
    assert len(written) >= 12
    # The data is damaged: only the backup and what was followed are left.
    shutil.rmtree(home / ".shipworthy" / "postgres" / "data" / "base")
    done = shipworthy("restore", "--to", str(workshop / "restored"), "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["tenants"], told["fewer_rows"]) == (2, {})
    assert_refused(
        shipworthy("restore", "--to", str(workshop / "restored"), cwd=home), "already", "nothing is restored"
    )
    with up(
        home, "--port", "0", "--state", str(workshop / "restored"), handle=workshop / "again.json"
    ) as again:
        session = HttpSession(again.handle.base_url)
        person = again.handle.tenants[0]
        await session.post("/login", form={"email": person.email, "password": person.password})
        for invoice_id, number in written.items():
            found = await session.request("GET", f"/api/invoices/{invoice_id}")
            assert (found.status, found.json["number"]) == (200, number)
        await session.close()
        listed = json.loads(shipworthy("backup", "list", "--json", cwd=home).stdout)
        assert len(listed) == 2, "a restored database is another life and begins with a backup of its own"
    assert shipworthy("backup", "check", cwd=home).returncode == 0


async def _written_until_killed(
    url: str, email: str, password: str, *, after: int, kill: list[int]
) -> dict[str, str]:
    """Issue invoices, four at a time, and kill everything in the midst of it; return what was answered."""
    session, written = HttpSession(url), dict[str, str]()
    assert (await session.post("/login", form={"email": email, "password": password})).status == 303
    customer = (await session.request("GET", "/api/customers")).json["customers"][0]["customer_id"]

    async def issue() -> None:
        while True:
            try:
                draft = await session.request(
                    "POST", "/api/invoices", json_body=_draft(customer), headers=_once()
                )
                invoice_id = draft.json["invoice_id"]
                issued = await session.request(
                    "POST", f"/api/invoices/{invoice_id}/finalise", json_body={}, headers=_once()
                )
            except Unanswered:
                return
            if issued.status != 200:
                return
            written[invoice_id] = issued.json["number"]
            if len(written) == after:
                for pid in kill:
                    os.kill(pid, signal.SIGKILL)

    await asyncio.gather(*(issue() for _ in range(4)))
    await session.close()
    return written


def _draft(customer_id: str) -> dict[str, object]:
    line = {"description": "Pipe", "quantity": "1", "unit_price": "10.00", "tax_rate_bp": 1900}
    return {"customer_id": customer_id, "currency": "EUR", "lines": [line]}


def _once() -> dict[str, str]:
    return {"idempotency-key": uuid.uuid4().hex}
