"""Probes: requests of our own for arms that hear little, alike for canary and baseline.

They look only at what anybody may look at, go the way a visitor's request goes, and are told apart
by a header that nobody else knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from shipworthy.delivery.envoy import PROBE_HEADER
from shipworthy.local.ports import LOOPBACK

PROBE_TIMEOUT_S = 10.0


def target_of(address: str, *, port: int) -> tuple[str, str]:
    """Return Host and path of what a person wrote: a path, or a whole address for a host of its own."""
    parts = urlsplit(address)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.netloc or f"localhost:{port}", path


async def probe_all(
    targets: Sequence[tuple[str, str]], arms: Sequence[str], *, port: int, salt: str, count: int
) -> None:
    """Ask each arm `count` times, going through the targets in turn; what it answers is in the access log."""
    asked = [
        _ask(port, host, path, f"{arm}.{salt}")
        for number in range(count)
        for arm in arms
        for host, path in [targets[number % len(targets)]]
    ]
    await asyncio.gather(*asked)


async def _ask(port: int, host: str, path: str, probe: str) -> None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(
                    f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{PROBE_HEADER}: {probe}\r\n"
                    "User-Agent: shipworthy-deploy\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode(
                        "latin-1"
                    )
                )
                while await reader.read(65_536):
                    pass
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return  # the front is gone: the deploy sees that its canary is silent
