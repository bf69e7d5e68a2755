"""The stub beside an app that is examined: up before it, told to it by its environment.

Each sign-in the target declares becomes a client with a secret of this run. Where the app may
be sent back to is known only once it runs.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from shipworthy.contract.manifest import OauthClient
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.idp.registry import Client
from shipworthy.gauntlet.idp.stub import Stub, stub_running
from shipworthy.gauntlet.proxy.proxies import Proxy


@asynccontextmanager
async def with_provider(
    target: Target, front: Proxy | None = None
) -> AsyncIterator[tuple[Target, Stub | None]]:
    """Run a stub until the block ends; yield the target as it is to be started beside it.

    With `front`, a proxy, everybody reaches the stub through it.
    A target that declares no sign-in through a provider, or that runs already, gets none.
    """
    declared = target.manifest.oauth
    if not declared or target.start is None:
        yield target, None
        return
    clients = {oauth.name: _client(oauth) for oauth in declared}
    issuer = f"http://{front.address}" if front else ""
    async with stub_running(clients=clients.values(), issuer=issuer) as stub:
        if front is not None:
            await front.aim(stub.listens_at)
        told = {
            name: _filled(value, stub, clients[oauth.name])
            for oauth in declared
            for name, value in oauth.env.items()
        }
        yield replace(target, env={**target.env, **told}), stub


def welcome(target: Target, stub: Stub | None, handle: Handle) -> None:
    """Let the running app's own callback addresses be sent back to, and no other."""
    for oauth in target.manifest.oauth if stub else ():
        assert stub is not None
        client = stub.client(client_id_of(oauth))
        stub.register(replace(client, redirect_uris=tuple(_addresses(oauth, handle))))


def client_id_of(oauth: OauthClient) -> str:
    return f"examined-{oauth.name}"


def _client(oauth: OauthClient) -> Client:
    return Client(
        client_id=client_id_of(oauth), secrets=(secrets.token_urlsafe(24),), algorithm=oauth.algorithm
    )


def _filled(value: str, stub: Stub, client: Client) -> str:
    known = {
        "{issuer}": stub.issuer,
        "{client_id}": client.client_id,
        "{client_secret}": client.secrets[0],
    }
    for placeholder, fact in known.items():
        value = value.replace(placeholder, fact)
    return value


def _addresses(oauth: OauthClient, handle: Handle) -> Iterator[str]:
    if not oauth.callback.startswith("/"):
        yield oauth.callback
        return
    parts = urlsplit(handle.base_url)
    # The instance calls itself by either name of this machine; both reach it and nobody else.
    for host in dict.fromkeys((parts.hostname, "127.0.0.1", "localhost")):
        yield f"{parts.scheme}://{host}:{parts.port}{oauth.callback}"
