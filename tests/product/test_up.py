"""`shipworthy new` and `up` as a person uses them: a first invoice, refusals in a sentence, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from shipworthy.gauntlet.http import Answer, HttpSession
from tests.support.postgres import open_directory
from tests.support.processes import processes_of, wait_for_none_of
from tests.support.up import SHIPWORTHY, Up, scaffold, shipworthy, up

pytestmark = [pytest.mark.product, pytest.mark.xdist_group("product")]

ENDING_TIMEOUT_S = 30.0
PRINTING_TIMEOUT_S = 30.0


@pytest.fixture
def workshop() -> Iterator[Path]:
    with open_directory() as folder:
        yield folder


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_an_invoice_is_issued_and_printed_and_is_there_after_up_was_ended(
    workshop: Path, ending: signal.Signals
) -> None:
    home = scaffold(workshop / "studio")
    with up(home, "--port", "0", handle=workshop / "first.json") as running:
        async with signed_in(running) as caller:
            invoice_id = await draft(caller)
            issued = await call(caller, "POST", f"/api/invoices/{invoice_id}/finalise", {}, expect=200)
            assert issued.json["number"]
            printed = await pdf(running, caller, invoice_id)
            assert printed.body.startswith(b"%PDF-")
        assert {"web", "worker", "mail", "database"} <= {p.name for p in running.handle.processes}
        assert running.pids <= set(processes_of(workshop))
        running.process.send_signal(ending)
        wait_for_none_of(workshop, timeout_s=ENDING_TIMEOUT_S)
        assert running.process.wait() == (0 if ending is signal.SIGTERM else -signal.SIGKILL)

    with up(home, "--port", "0", handle=workshop / "second.json") as again:
        async with signed_in(again) as caller:
            found = await call(caller, "GET", f"/api/invoices/{invoice_id}", expect=200)
            assert found.json["number"] == issued.json["number"]
            assert (await pdf(again, caller, invoice_id)).body == printed.body


async def test_a_second_up_is_refused_by_name_and_the_first_works_on(workshop: Path) -> None:
    home = scaffold(workshop / "studio")
    with up(home, "--port", "0", handle=workshop / "handle.json") as running:
        said = refusal(shipworthy("up", "--port", "0", cwd=home))
        assert f"process {running.process.pid}" in said
        async with signed_in(running) as caller:
            await draft(caller)


def test_a_taken_port_is_said_in_a_sentence_and_nothing_is_left(workshop: Path) -> None:
    home = scaffold(workshop / "studio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(shipworthy("up", "--port", str(port), cwd=home))
        assert f"Port {port} for the app is taken" in said
        assert processes_of(workshop) == {}


def test_up_outside_an_app_says_how_to_make_one(workshop: Path) -> None:
    assert "shipworthy new" in refusal(shipworthy("up", cwd=workshop))


@pytest.mark.parametrize("moment", ["database: starting", "database: ready", "web and worker: starting"])
def test_a_signal_while_starting_leaves_nothing_and_harms_nothing(workshop: Path, moment: str) -> None:
    home = scaffold(workshop / "studio")
    log = workshop / "up.log"
    with log.open("wb") as out:
        starting = subprocess.Popen([*SHIPWORTHY, "up", "--port", "0"], cwd=home, stdout=out, stderr=out)
    try:
        interrupted = Up(process=starting, handle_file=workshop / "none.json", log=log)
        interrupted.wait_until(lambda: moment in interrupted.said, f"it says {moment!r}", timeout_s=60)
        starting.send_signal(signal.SIGTERM)
        wait_for_none_of(workshop, timeout_s=ENDING_TIMEOUT_S)
        assert "Traceback" not in interrupted.said
    finally:
        with contextlib.suppress(ProcessLookupError):
            starting.kill()
        starting.wait()
    with up(home, "--port", "0", handle=workshop / "handle.json") as running:
        assert len(running.handle.tenants) == 2


@contextlib.asynccontextmanager
async def signed_in(running: Up) -> AsyncIterator[HttpSession]:
    """Yield a session of the first demo tenant's owner."""
    person = running.handle.tenants[0]
    session = HttpSession(running.handle.base_url)
    try:
        answer = await session.post("/login", form={"email": person.email, "password": person.password})
        assert answer.status == 303, answer.text
        yield session
    finally:
        await session.close()


async def call(session: HttpSession, method: str, path: str, body: Any = None, *, expect: int) -> Answer:
    headers = {"idempotency-key": uuid.uuid4().hex} if method == "POST" else {}
    answer = await session.request(method, path, json_body=body, headers=headers)
    assert answer.status == expect, answer.text
    return answer


async def draft(session: HttpSession) -> str:
    """Create a customer and a draft for it; return the draft's id."""
    customer = await call(session, "POST", "/api/customers", {"name": "Harbour Office Ltd"}, expect=201)
    line = {"description": "Concept", "quantity": "1.5", "unit_price": "95.00", "tax_rate_bp": 1900}
    body = {"customer_id": customer.json["customer_id"], "currency": "EUR", "lines": [line]}
    invoice = (await call(session, "POST", "/api/invoices", body, expect=201)).json
    assert (invoice["net_minor"], invoice["tax_minor"], invoice["gross_minor"]) == (14250, 2708, 16958)
    return str(invoice["invoice_id"])


async def pdf(running: Up, session: HttpSession, invoice_id: str) -> Answer:
    """Return the printed invoice as soon as the worker has printed it."""
    for _ in range(int(PRINTING_TIMEOUT_S / 0.1)):
        answer = await session.get(f"/api/invoices/{invoice_id}/pdf")
        if answer.status == 200:
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"not printed in {PRINTING_TIMEOUT_S:g} s: {answer.text}. {running.said[-1000:]}")


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence a command ended with; exit 2, and nothing of its insides."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    [said] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.stderr.rstrip().endswith(said)
    return said
