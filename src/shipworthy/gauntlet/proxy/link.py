"""`Link`: one client's connection and ours onward, and the two lanes between them.

Without toxics a piece goes from socket to socket in the call that read it. With toxics it
waits in its lane until it may go on. Half-closed connections stay half-closed.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from shipworthy.gauntlet.proxy.toxic import Stream, Toxic, held_for_s, rate_bytes_per_s, slice_bytes

if TYPE_CHECKING:
    from shipworthy.gauntlet.proxy.front import Front

HELD_BYTES_MAX = 1024 * 1024  # in one lane; then its sender is no longer read from, as a full network does
_FULL_PAUSE_S = 0.01  # a lane with toxics looks again whether its sink takes more
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class End(asyncio.Protocol):
    """One of the two sockets. What it reads goes into its lane `out`."""

    transport: asyncio.Transport | None = None
    is_full = False  # its socket takes no more for now

    def __init__(self, link: Link, out: Lane) -> None:
        self._link, self.out = link, out

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.out.arrived(data)

    def eof_received(self) -> bool:
        self.out.arrived(None)
        return True  # keep the other direction

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost(exc)

    def pause_writing(self) -> None:
        self._filled(is_full=True)

    def resume_writing(self) -> None:
        self._filled(is_full=False)

    def _filled(self, *, is_full: bool) -> None:
        self.is_full = is_full
        self._link.other(self).out.regulate()

    def reset(self) -> None:
        """Close at once and rudely: the other side is told by a reset."""
        if self.transport is not None:
            reset_on_close(self.transport.get_extra_info("socket"))
            self.transport.abort()


@dataclass(slots=True)
class _Piece:
    arrived_at_s: float
    data: bytes | None  # None: the sender has no more to say
    roll: float  # -1..1, its own share of the jitter


class Lane:
    """One direction: what arrived and was not passed on yet, in order."""

    source: End
    sink: End

    def __init__(self, front: Front, link: Link, stream: Stream) -> None:
        self._front, self._link, self._stream = front, link, stream
        self._held: deque[_Piece] = deque()
        self._held_bytes, self._passed_bytes = 0, 0
        self._free_at_s = 0.0  # a throttled lane passes nothing before this
        self._carrying: asyncio.Task[None] | None = None
        self._is_paused = False
        self.is_ended = False

    def arrived(self, data: bytes | None) -> None:
        # A server may speak first (SMTP does), before the client's end is there to be written to.
        is_early = self.sink.transport is None
        if self._carrying is None and not self._front.toxics and not self._held and not is_early:
            self._pass(data)
            return
        self._held.append(_Piece(time.monotonic(), data, random.uniform(-1, 1)))  # noqa: S311
        self._held_bytes += len(data or b"")
        self.regulate()
        if not is_early:
            self.go_on()

    def go_on(self) -> None:
        """See to it that what is held is passed on in time."""
        if self._held and self._carrying is None:
            self._carrying = asyncio.create_task(self._carry())

    def regulate(self) -> None:
        """Read from the source only while what it sends has a place to go."""
        transport = self.source.transport
        must_pause = self.sink.is_full or self._held_bytes > HELD_BYTES_MAX
        if transport is None or transport.is_closing() or must_pause == self._is_paused:
            return
        self._is_paused = must_pause
        if must_pause:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def drop(self) -> None:
        if self._carrying is not None:
            self._carrying.cancel()
        self._held.clear()

    async def _carry(self) -> None:
        while self._held:
            piece = self._held[0]
            toxics = [toxic for toxic in self._front.toxics.values() if toxic.lies_in(self._stream)]
            wait_s = self._wait_s(piece, toxics)
            if wait_s > 0:
                await self._front.settled(wait_s)
                continue
            self._pass_some(piece, toxics)
            self.regulate()
            while self.sink.is_full:
                await self._front.settled(_FULL_PAUSE_S)
        self._carrying = None

    def _wait_s(self, piece: _Piece, toxics: list[Toxic]) -> float:
        held_s = held_for_s(toxics, roll=piece.roll, is_end=piece.data is None)
        due_at_s = piece.arrived_at_s + held_s
        if rate_bytes_per_s(toxics) < inf:
            due_at_s = max(due_at_s, self._free_at_s)
        return due_at_s - time.monotonic()

    def _pass_some(self, piece: _Piece, toxics: list[Toxic]) -> None:
        if piece.data is None:
            self._held.popleft()
            self._pass(None)
            return
        rate_per_s = rate_bytes_per_s(toxics)
        some = piece.data[: slice_bytes(rate_per_s)]
        limits = [toxic.limit_bytes for toxic in toxics if toxic.kind == "limit_data"]
        if limits:
            some = some[: max(0, min(limits) - self._passed_bytes)]
        piece.data = piece.data[len(some) :]
        self._held_bytes -= len(some)
        if not piece.data:
            self._held.popleft()
        self._free_at_s = time.monotonic() + len(some) / rate_per_s
        if some:
            self._pass(some)
        if limits and self._passed_bytes >= min(limits):
            self._link.close()

    def _pass(self, data: bytes | None) -> None:
        transport = self.sink.transport
        if transport is None or transport.is_closing():
            return
        if data is None:
            self.is_ended = True
            transport.write_eof()
            self._link.ended()
        else:
            self._passed_bytes += len(data)
            transport.write(data)


class Link:
    """A pair of connections. It is over when both directions ended or either side is lost."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._up, self._down = Lane(front, self, "upstream"), Lane(front, self, "downstream")
        self.client, self.server = End(self, self._up), End(self, self._down)
        self._up.source, self._up.sink = self.client, self.server
        self._down.source, self._down.sink = self.server, self.client
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._is_over = False

    def other(self, end: End) -> End:
        return self.server if end is self.client else self.client

    def begin(self) -> None:
        """Both ends are there: let them speak. One that was reset meanwhile stays reset."""
        if self._is_over:
            self.client.reset()
            self.server.reset()
            return
        self._down.go_on()
        self.feel()

    def feel(self) -> None:
        """Set the clock of every toxic that ends connections, and stop that of those that are gone."""
        for name in [name for name in self._timers if name not in self._front.toxics]:
            self._timers.pop(name).cancel()
        for name, toxic in self._front.toxics.items():
            ends_it = toxic.kind == "reset_peer" or (toxic.kind == "timeout" and toxic.timeout_ms)
            if ends_it and name not in self._timers:
                end_it = self.reset if toxic.kind == "reset_peer" else self.close
                loop = asyncio.get_running_loop()
                self._timers[name] = loop.call_later(toxic.timeout_ms / 1000, end_it)

    def ended(self) -> None:
        if self._up.is_ended and self._down.is_ended:
            self.close()

    def lost(self, exc: Exception | None) -> None:
        """One side is gone. A reset is passed on as one; otherwise what was sent is still delivered."""
        if exc is not None:
            self.reset()
        else:
            self.close()

    def close(self) -> None:
        """Close both sides once what was passed on is sent."""
        if self._leave():
            for end in (self.client, self.server):
                if end.transport is not None:
                    end.transport.close()

    def reset(self) -> None:
        """Cut both sides off."""
        if self._leave():
            for end in (self.client, self.server):
                end.reset()

    def _leave(self) -> bool:
        if self._is_over:
            return False
        self._is_over = True
        for lane in (self._up, self._down):
            lane.drop()
        for timer in self._timers.values():
            timer.cancel()
        self._front.left(self)
        return True


def reset_on_close(connection: socket.socket) -> None:
    """Make the close of this socket a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
