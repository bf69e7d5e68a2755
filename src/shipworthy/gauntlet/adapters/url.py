"""An instance that runs already. On this machine only: the gauntlet attacks what it examines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance, StartFailed
from shipworthy.gauntlet.capabilities import is_loopback
from shipworthy.gauntlet.http import HttpSession, Unanswered


@asynccontextmanager
async def running_already(target: Target) -> AsyncIterator[StartedInstance]:
    """Examine the instance at the target's url; nothing is started and nothing stopped.

    Errors:  StartFailed when it is on another machine or does not answer.
    """
    assert target.url is not None
    host = urlsplit(target.url).hostname or ""
    if not is_loopback(host):
        raise StartFailed(
            f"{target.url} is not on this machine. The gauntlet sends load and hostile requests, so it "
            "examines loopback addresses only. Run a copy here, or open a tunnel to one you may harm: "
            f"ssh -L 8000:127.0.0.1:80 {host or 'HOST'}"
        )
    await _must_answer(target)
    handle = Handle(
        base_url=target.url,
        database_urls=target.database_urls,
        tenants=target.credentials,
    )
    yield StartedInstance(handle, None)


async def _must_answer(target: Target) -> None:
    session = HttpSession(target.url or "")
    try:
        await session.get(target.health, timeout_s=target.start_timeout_s)
    except Unanswered as silent:
        raise StartFailed(f"Nothing answers at {target.url}: {silent}. Is the app running?") from silent
    finally:
        await session.close()
