"""`Front`: an address of ours that stands before one dependency, with the toxics it has now."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from math import inf
from pathlib import Path

from shipworthy.gauntlet.proxy.link import Link, reset_on_close
from shipworthy.gauntlet.proxy.toxic import Toxic, lease_of

LOOPBACK = "127.0.0.1"
CONNECT_TIMEOUT_S = 10.0
_BACKLOG = 1024
_ACCEPTS_AT_ONCE = 64
_NO_FILES_PAUSE_S = 0.1

Upstream = Callable[[], tuple[str, int] | None]


def fixed(address: str) -> Upstream:
    """An upstream at "host:port"; none while the address is empty."""
    host, _, port = address.rpartition(":")
    place = (host.strip("[]"), int(port)) if address else None
    return lambda: place


def told_by(file: Path, name: str) -> Upstream:
    """An upstream that whoever starts it writes into a file ({"name": "host:port"}), sooner or later.

    Read anew for every connection (20 us): it may be written again by a later start.
    """

    def look() -> tuple[str, int] | None:
        try:
            address = json.loads(file.read_text(encoding="utf-8")).get(name, "")
        except FileNotFoundError:
            return None
        return fixed(address)()

    return look


class Front:
    """Listens on a loopback port of its own until `close`; nobody else gets that port meanwhile."""

    def __init__(self, upstream: Upstream) -> None:
        self.opened_before = self._upstream = upstream
        self.toxics: dict[str, Toxic] = {}
        self.accepted = self.unreached = 0
        self._numbered = 0
        self._links: set[Link] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._leases: dict[str, asyncio.TimerHandle] = {}
        self._changed = asyncio.get_running_loop().create_future()
        # This one is bound and never listens: it keeps the port ours while the proxy is down.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self._listener: socket.socket | None = None
        self._listen()

    @property
    def connections(self) -> int:
        return len(self._links)

    def aim(self, upstream: Upstream) -> None:
        """Stand before this from the next connection on."""
        self._upstream = upstream

    def add(self, toxic: Toxic, *, lease_s: float) -> str:
        """Put a toxic into force until `remove`, at the latest when its lease ends; return its name.

        Errors:  ValueError for a lease that cannot be kept.
        """
        lease_s = lease_of(lease_s)
        self._numbered += 1
        name = f"{toxic.kind}.{self._numbered}"
        self.toxics[name] = toxic
        self._leases[name] = asyncio.get_running_loop().call_later(lease_s, self.remove, name)
        self._feel()
        return name

    def remove(self, name: str) -> None:
        """Take a toxic out of force. Harmless when it no longer is."""
        if self.toxics.pop(name, None) is not None:
            self._leases.pop(name).cancel()
            self._feel()

    def clear(self) -> None:
        for name in list(self.toxics):
            self.remove(name)

    async def settled(self, wait_s: float) -> None:
        """Wait this long, or until the toxics changed."""
        await asyncio.wait([self._changed], timeout=None if wait_s == inf else wait_s)

    def left(self, link: Link) -> None:
        self._links.discard(link)

    def close(self) -> None:
        self.clear()
        self._stop_listening()
        self._holder.close()
        for task in self._opening:
            task.cancel()
        for link in list(self._links):
            link.reset()

    def _feel(self) -> None:
        self._changed.set_result(None)
        self._changed = asyncio.get_running_loop().create_future()
        if any(toxic.kind == "down" for toxic in self.toxics.values()):
            self._stop_listening()
            for link in list(self._links):
                link.reset()
        else:
            self._listen()
        for link in list(self._links):
            link.feel()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            if self._listener is None:
                return
            try:
                client, _address = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # out of files: the others may end; asking again at once would only spin
                self._stop_listening_for_now()
                return
            client.setblocking(False)
            task = asyncio.create_task(self._open(client))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _stop_listening_for_now(self) -> None:
        loop, listener = asyncio.get_running_loop(), self._listener
        assert listener is not None
        loop.remove_reader(listener)

        def again() -> None:
            if self._listener is listener:
                loop.add_reader(listener, self._accept)

        loop.call_later(_NO_FILES_PAUSE_S, again)

    async def _open(self, client: socket.socket) -> None:
        """Connect onward, then let the client speak. One that cannot be connected is reset: a
        proxy has accepted it already, so that is the nearest thing to being refused."""
        self.accepted += 1
        loop, link = asyncio.get_running_loop(), Link(self)
        self._links.add(link)
        try:
            address = self._upstream()
            if address is None:
                raise ConnectionRefusedError("the upstream is not known yet")
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: link.server, *address)
            await loop.connect_accepted_socket(lambda: link.client, client)
        except (OSError, ValueError):  # TimeoutError is one; so is a file that says no address
            self.unreached += 1
            reset_on_close(client)
            client.close()
            link.reset()
            return
        except asyncio.CancelledError:
            client.close()
            link.reset()
            raise
        link.begin()


def _bound(port: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.setblocking(False)
    held.bind((LOOPBACK, port))
    return held
