"""What a hop through the fault proxy costs without toxics: `make bench NAME=proxy`.

Round trips of 100 bytes to an echo server on loopback, straight and through the proxy by turns,
so that both see the same machine.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import time

import uvloop

from benchmarks.report import Report, publish, show_table
from shipworthy.gauntlet.proxy.proxies import proxies_running

ROUNDS, TRIPS = 5, 2_000


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def _main() -> None:
    server = await asyncio.get_running_loop().create_server(_Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    straight_ms, through_ms = [], []
    async with proxies_running() as proxies:
        proxy = await proxies.open("echo", upstream=f"127.0.0.1:{port}")
        for _ in range(ROUNDS):
            straight_ms.append(statistics.median(await asyncio.to_thread(_trips_ms, port)))
            through_ms.append(statistics.median(await asyncio.to_thread(_trips_ms, proxy.port)))
    server.close()
    show_table(
        "A round trip, ms (median of 2,000)",
        ("straight", "through the proxy"),
        zip(straight_ms, through_ms, strict=True),
    )
    added = [through - straight for straight, through in zip(straight_ms, through_ms, strict=True)]
    publish(Report(name="proxy", figures={"proxy_added_ms": round(statistics.median(added), 4)}))


def _trips_ms(port: int) -> list[float]:
    trips = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(TRIPS):
            began = time.perf_counter()
            connection.sendall(bytes(100))
            connection.recv(4096)
            trips.append((time.perf_counter() - began) * 1000)
    return trips


if __name__ == "__main__":
    uvloop.run(_main())
