"""`Stub`: the provider listening on this machine, with the handle that makes it misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from shipworthy.gauntlet.idp.conduct import Conduct
from shipworthy.gauntlet.idp.provider import Provider
from shipworthy.gauntlet.idp.registry import Client, Person, seeded_people
from shipworthy.gauntlet.idp.state import State
from shipworthy.gauntlet.idp.web import Listener


class Stub:
    """A running provider. What is switched holds until it is switched again."""

    def __init__(self, provider: Provider, listener: Listener) -> None:
        self.provider, self._listener = provider, listener

    @property
    def issuer(self) -> str:
        return self.provider.state.issuer

    @property
    def listens_at(self) -> str:
        """Its own "host:port"; the issuer may be an address that stands before it."""
        return self._listener.url.partition("://")[2]

    @property
    def people(self) -> tuple[Person, ...]:
        return self.provider.state.people

    @property
    def conduct(self) -> Conduct:
        return self.provider.state.conduct

    @property
    def counts(self) -> dict[str, int]:
        """Requests so far at each endpoint; "attacker" are those only a forged token asks for."""
        return dict(self.provider.counts)

    @property
    def last_id_token(self) -> str:
        """The ID token given out last, right or wrong; empty before the first."""
        return self.provider.state.last_id_token

    async def behave(self, **facts: Any) -> None:
        """Behave like this from now on, and like a good provider in everything not named.

        Example: await stub.behave(token="expired"); await stub.behave()
        """
        await self.follow(Conduct(**facts))

    async def follow(self, conduct: Conduct) -> None:
        self.provider.state.conduct = conduct
        self._listener.forget_late()  # an app that still waits would be held up into what comes next
        if conduct.wire == "refused":
            await self._listener.refuse()
        else:
            await self._listener.accept()

    def rotate(self, *, keep_old: bool = False) -> None:
        """Sign with new keys. Without `keep_old` the old ones are no longer published."""
        self.provider.state.ring.rotate(keep_old=keep_old)

    def register(self, client: Client) -> None:
        """Let an app sign people in here, or change what is known of it."""
        self.provider.register(client)

    def client(self, client_id: str) -> Client:
        """Return a registered client. Errors: KeyError."""
        return self.provider.state.clients[client_id]


@asynccontextmanager
async def stub_running(
    *, clients: Iterable[Client] = (), people: Iterable[Person] | None = None, port: int = 0, issuer: str = ""
) -> AsyncIterator[Stub]:
    """Run a provider on loopback until the block ends; port 0 takes a free one.

    `issuer` is the address it is known by, when that is not its own.

    Cost:    1 ms of CPU for a whole sign-in, on a busy machine (2026-11; `make bench NAME=idp`).
    Errors:  OSError when the port is taken.
    """
    state = State(people=people if people is not None else seeded_people(10), clients=clients)
    provider = Provider(state)
    listener = Listener(provider.answer)
    await listener.open(port)
    state.issuer = issuer or listener.url
    try:
        yield Stub(provider, listener)
    finally:
        listener.close()
