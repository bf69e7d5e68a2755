"""A route that asks for a proof not older than so many seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import app_running


async def test_an_old_session_proves_itself_first_and_a_fresh_one_passes(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: at[0]) as toy:
        acme = await signed_in(toy)
        assert (await acme.get("/safe")).status == 200
        at[0] += timedelta(seconds=601)
        page = await acme.get("/safe")
        assert (page.status, page.header("location")) == (303, "/account/confirm?next=/safe")
        for referer, back in (
            ("http://localhost/notes?page=2", "/notes"),
            ("https://evil.example/notes", ""),
            ("http://[", ""),
        ):
            sent = await acme.post("/safe", headers={"referer": referer})
            assert (sent.status, sent.header("location")) == (303, f"/account/confirm?next={back}")
        program = await acme.post("/safe", headers={"accept": "application/json"})
        assert (program.status, program.json["code"]) == (403, "session.step_up")
        assert (await toy.client().get("/safe")).header("location") == "/login?next=/safe"

        principal = await toy.runtime.sessions.lookup(acme.cookies["sid"])
        assert principal
        token = await toy.runtime.sessions.renew(principal.session_id, amr=("pwd", "otp", "mfa"))
        assert token
        assert (await acme.get("/safe")).header("location") == "/login?next=/safe"  # the old id is dead
        acme.cookies["sid"] = token
        assert (await acme.get("/safe")).status == 200
