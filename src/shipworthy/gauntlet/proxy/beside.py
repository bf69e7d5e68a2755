"""The proxies beside an app that is examined: up before it, and told to it as its own addresses.

Only when something that is planned needs them: a hop costs little (benchmarks/proxy.py), but
nothing else is measured through one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.capabilities import fronted
from shipworthy.gauntlet.companion import CompanionGone
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.proxy.proxies import Proxies, Proxy, proxies_running

# Our own `up` takes the addresses from this variable and writes what is behind them to the file.
_VARIABLE, _UPSTREAMS_FILE = "SHIPWORTHY_THROUGH", "upstreams.json"
_PLACEHOLDER = "{database}"


@asynccontextmanager
async def with_proxies(
    target: Target, planned: Iterable[PlannedCheck], *, state: Path
) -> AsyncIterator[tuple[Target, Proxies | None]]:
    """Run the proxies until the block ends; yield the target as it is to be started behind them.

    `state` is the state directory that our own app is going to have. When nothing planned needs
    a proxy there is none, and a stranger is given the plain address of its database.

    Errors:  StartFailed.
    """
    names = fronted(target)
    if not names or not _is_needed(planned):
        yield _filled(target, target.database or ""), None
        return
    async with proxies_running() as proxies:
        try:
            behind = await _behind(proxies, target, names, state)
        except (CompanionGone, ValueError) as failed:
            raise StartFailed(f"The proxies before it did not start: {failed}") from failed
        yield behind, proxies


async def _behind(proxies: Proxies, target: Target, names: frozenset[str], state: Path) -> Target:
    if "oidc" in names:
        await proxies.open("oidc")  # aimed when the provider listens (idp/beside.py)
    if target.kind == "shipworthy":
        opened = [
            await proxies.open(name, told_by=state / _UPSTREAMS_FILE) for name in sorted(names - {"oidc"})
        ]
        told = ",".join(f"{proxy.name}={proxy.address}" for proxy in opened)
        return replace(target, env={**target.env, _VARIABLE: told})
    if "database" not in names:
        return _filled(target, target.database or "")
    assert target.database is not None
    parts = urlsplit(target.database)
    proxy = await proxies.open("database", upstream=f"{parts.hostname}:{parts.port or 5432}")
    return _filled(target, _by(proxy, target.database))


async def outlive_us(proxies: Proxies | None, handle: Handle) -> None:
    """Have the proxies serve the app for as long as it runs, should we die before it."""
    if proxies is not None and handle.pid is not None:
        await proxies.serve([handle.pid])


def _is_needed(planned: Iterable[PlannedCheck]) -> bool:
    return any(
        need.startswith("proxy.") for item in planned if not item.obstacle for need in item.check.needs
    )


def _filled(target: Target, url: str) -> Target:
    if target.kind != "command" or not target.database:
        return target
    assert target.start is not None
    return replace(
        target,
        start=tuple(word.replace(_PLACEHOLDER, url) for word in target.start),
        env={name: value.replace(_PLACEHOLDER, url) for name, value in target.env.items()},
    )


def _by(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}{proxy.address}"))
