"""Names by the machine's own resolver, in a few threads of our own: a slow DNS holds up nobody else's work."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_THREADS = 4
# "There is no such name": an answer. Everything else (no server, a server that fails) is none.
_NOBODY = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
T = TypeVar("T")


class SystemResolver:
    """Asks the machine."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="edge-dns")

    async def names_of(self, address: str) -> Sequence[str]:
        return await self._asked(lambda: _names_of(address))

    async def addresses_of(self, name: str) -> Sequence[str]:
        return await self._asked(lambda: _addresses_of(name))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, look_up: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up)


def _names_of(address: str) -> list[str]:
    try:
        return [socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]]
    except socket.gaierror as failed:
        if failed.errno in _NOBODY:
            return []
        raise


def _addresses_of(name: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except socket.gaierror as failed:
        if failed.errno in _NOBODY:
            return []
        raise
