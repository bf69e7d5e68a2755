"""Mails of this room: written by the worker, once each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

import pytest

from shipworthy.kernel.queue.worker import run_job
from shipworthy.rooms.auth.jobs import JOBS
from tests.rooms.auth.conftest import SIGN_UP, AuthApp, payload
from tests.rooms.auth.test_confirm import signed_up


async def _token_id(auth: AuthApp) -> str:
    return str((await auth.running.admin("select token_id from one_time_token"))[0]["token_id"])


async def test_the_letter_greets_by_name_and_holds_one_link(auth: AuthApp) -> None:
    await signed_up(auth, name="Mara <b>& Co</b>", organisation="A & B")
    (mail,) = auth.mails
    assert mail.subject == "Confirm your address for Test app"
    assert mail.text.startswith("Hello Mara <b>& Co</b>,")  # plain text: nothing is escaped
    assert mail.text.count("http://") == 1
    assert "good for 24 hours" in mail.text
    assert mail.html == ""


async def test_a_job_that_runs_again_mails_once(auth: AuthApp) -> None:
    await signed_up(auth)
    source = await _token_id(auth)
    for attempt in range(3):
        await run_job(JOBS[0], auth.running.runtime, payload(auth.running, source), attempt=attempt)
    assert len(auth.mails) == 1


async def test_two_workers_at_once_mail_once(auth: AuthApp) -> None:
    await auth.client().post("/signup", form=SIGN_UP)
    source = await _token_id(auth)
    run = [run_job(JOBS[0], auth.running.runtime, payload(auth.running, source), attempt=0) for _ in range(4)]
    await asyncio.gather(*run)
    assert len(auth.mails) == 1


async def test_a_mail_server_that_is_away_leaves_the_mail_to_be_sent_later(
    auth: AuthApp, mail_port: int
) -> None:
    from pgqueuer.errors import RetryRequested

    from shipworthy.kernel.mail.outbox import Mailer
    from shipworthy.kernel.settings import MailSection
    from shipworthy.local.ports import free_port

    await auth.client().post("/signup", form=SIGN_UP)
    source = payload(auth.running, await _token_id(auth))
    auth.running.runtime.mailer = Mailer(MailSection(port=free_port()))
    with pytest.raises(RetryRequested):
        await run_job(JOBS[0], auth.running.runtime, source, attempt=0)
    assert auth.mails == []
    auth.running.runtime.mailer = Mailer(MailSection(port=mail_port))
    await run_job(JOBS[0], auth.running.runtime, source, attempt=1)
    assert len(auth.mails) == 1


async def test_a_job_whose_offer_is_gone_does_nothing(auth: AuthApp) -> None:
    await auth.client().post("/signup", form=SIGN_UP)
    source = payload(auth.running, await _token_id(auth))
    await auth.running.admin("delete from one_time_token")
    await run_job(JOBS[0], auth.running.runtime, source, attempt=0)
    assert auth.mails == []


async def test_the_link_leads_to_the_host_the_person_used(auth: AuthApp) -> None:
    await auth.client(host="localhost:8123").post("/signup", form=SIGN_UP)
    await auth.work()
    assert "http://localhost:8123/verify?token=" in auth.mails[-1].text
    for forged in ("localhost:@evil.example", "localhost:80@evil.example", "evil.example", "localhost:8x"):
        answer = await auth.client(host=forged).post("/signup", form=SIGN_UP)
        assert answer.status == 421
    assert await auth.work() == 0


@pytest.mark.parametrize(
    ("port", "scheme", "link"),
    [
        (8443, "https", "https://localhost:8443/verify"),
        (443, "https", "https://localhost/verify"),
        (80, "http", "http://localhost/verify"),
    ],
)
async def test_where_the_public_port_is_known_a_request_cannot_change_it(
    auth: AuthApp, port: int, scheme: Literal["http", "https"], link: str
) -> None:
    settings = auth.running.runtime.settings
    known = replace(settings.http, public_port=port, public_scheme=scheme)
    auth.running.runtime.settings = replace(settings, http=known)
    for host in ("localhost:9999", "localhost"):
        await auth.client(host=host).post("/signup", form=SIGN_UP)
        await auth.work()
        assert f"{link}?token=" in auth.mails[-1].text
