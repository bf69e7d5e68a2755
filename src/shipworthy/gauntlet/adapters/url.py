"""An instance that runs already: freely on this machine, on another one with its owner's proof."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance, StartFailed
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.ownership import NotProven, Reached, Resolve, reach

_KNOCK_S = 1.0


class RunningInstance(StartedInstance):
    """An instance somebody else keeps. That it is gone is seen when nobody listens any more."""

    def died(self) -> str:
        parts = urlsplit(self.handle.base_url)
        host = parts.hostname or ""
        at = self.handle.addresses.get(host, "127.0.0.1" if host.endswith("localhost") else host)
        try:
            socket.create_connection(
                (at, parts.port or (443 if parts.scheme == "https" else 80)), _KNOCK_S
            ).close()
        except ConnectionRefusedError:
            return f"Nobody listens at {self.handle.base_url} any more."
        except OSError:
            return ""  # late, or unreachable for a moment: that it is gone is not known
        return ""


@asynccontextmanager
async def running_already(
    target: Target, *, resolve: Resolve | None = None, key: bytes | None = None
) -> AsyncIterator[StartedInstance]:
    """Examine the instance at the target's url; nothing is started and nothing stopped.

    Errors:  StartFailed when it does not answer, or is on another machine and does not prove its owner's wish.
    """
    assert target.url is not None
    try:
        reached = await reach(target.url, address=target.address, resolve=resolve, key=key)
    except NotProven as refused:
        raise StartFailed(str(refused)) from refused
    await _must_answer(target, reached)
    handle = Handle(
        base_url=target.url,
        database_urls=target.database_urls,
        tenants=target.credentials,
        addresses=reached.addresses,
    )
    yield RunningInstance(handle, None)


async def _must_answer(target: Target, reached: Reached) -> None:
    session = HttpSession(target.url or "", addresses=reached.addresses, turns=reached.turns)
    try:
        await session.get(target.health, timeout_s=target.start_timeout_s)
    except Unanswered as silent:
        raise StartFailed(f"Nothing answers at {target.url}: {silent}. Is the app running?") from silent
    finally:
        await session.close()
