"""The auth room with the stub provider beside it, and a browser that visits both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from shipworthy.gauntlet.http import HttpSession
from shipworthy.gauntlet.idp.registry import Client as Registered
from shipworthy.gauntlet.idp.stub import Stub, stub_running
from shipworthy.kernel.settings import MailSection, ProviderSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.room import ROOM
from tests.rooms.auth.conftest import CHEAP, AuthApp, Clock, add_owner, auth_settings
from tests.support.app import app_running
from tests.support.client import Answer, Client

CALLBACK = "http://localhost/oauth/stub/callback"
APP = Registered(client_id="ours", secrets=("the & secret",), redirect_uris=(CALLBACK,))


@dataclass
class Browsing:
    """The app, the provider, and somebody who goes from one to the other."""

    auth: AuthApp
    stub: Stub
    provider: HttpSession

    async def begin(self, client: Client, path: str = "/oauth/stub") -> str:
        """Begin a sign-in; return the address at the provider."""
        answer = await client.get(path)
        assert answer.status == 303, (answer.status, answer.text)
        return answer.header("location") or ""

    async def answered(self, address: str, **asked: str) -> str:
        """Let the provider answer; return the path the browser is sent back to."""
        parts = urlsplit(address)
        query = urlencode({**dict(parse_qsl(parts.query)), **asked})
        back = await self.provider.get(f"{parts.path}?{query}")
        assert back.status == 303, back.text
        return (back.header("location") or "").removeprefix("http://localhost")

    async def sign_in(
        self, client: Client | None = None, *, path: str = "/oauth/stub", person: str = ""
    ) -> Answer:
        """Go all the way round."""
        client = client or self.auth.client()
        hint = {"login_hint": person} if person else {}
        return await client.get(await self.answered(await self.begin(client, path), **hint))

    async def counted(self, table: str) -> int:
        """Return how many rows there are; of identities, those at the stub."""
        where = "where provider = 'stub'" if table == "identity" else ""
        count: int = (await self.auth.running.admin(f"select count(*) as n from {table} {where}"))[0]["n"]
        return count


@pytest.fixture
async def stub(clock: Clock) -> AsyncIterator[Stub]:
    async with stub_running(clients=[APP]) as running:
        running.provider.state.clock = lambda: clock().timestamp()
        yield running


@pytest.fixture
async def browsing(
    cluster: PostgresAddress,
    tmp_path: Path,
    clock: Clock,
    mail_port: int,
    stub: Stub,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Browsing]:
    monkeypatch.setenv("SHIPWORTHY_OAUTH_STUB_SECRET", APP.secrets[0])
    monkeypatch.delenv("SHIPWORTHY_OAUTH_STUB_SECRET_NEXT", raising=False)
    providers = {
        "stub": ProviderSection(client_id=APP.client_id, issuer=stub.issuer),
        "other": ProviderSection(client_id=APP.client_id, issuer=stub.issuer),
    }
    settings = auth_settings(
        mail=MailSection(port=mail_port),
        auth=replace(CHEAP, providers=providers),
    )
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings, now=clock) as running:
        tenant_id, owner = await add_owner(running)
        auth = AuthApp(running, clock, tmp_path / "mails", owner, tenant_id)
        session = HttpSession(stub.issuer)
        yield Browsing(auth, stub, session)
        await session.close()


async def rename_person(stub: Stub, *, email: str, is_verified: bool | None = True) -> None:
    """Let the first person of the provider have this address."""
    first, *others = stub.people
    stub.provider.state.people = (replace(first, email=email, email_verified=is_verified), *others)
