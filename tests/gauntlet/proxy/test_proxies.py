"""The proxies on real sockets: every toxic, leases, half-closed and many connections, death on either side.

Covers: front, link, toxic, companion.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from shipworthy.gauntlet.companion import CompanionGone
from shipworthy.gauntlet.processid import process_id
from shipworthy.gauntlet.proxy.proxies import Proxies, Proxy
from shipworthy.gauntlet.proxy.toxic import Kind, Toxic
from tests.gauntlet.proxy.conftest import PATIENCE_S, EchoServer, said_back


async def test_without_toxics_all_passes_and_a_half_closed_connection_still_hears(
    echo: EchoServer, proxies: Proxies
) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    long = os.urandom(3_000_000)
    assert await said_back(proxy.port, long) == long + b"BYE"
    async with asyncio.timeout(PATIENCE_S):
        while (await proxy.state()).connections:
            await asyncio.sleep(0.01)


async def test_five_hundred_connections_at_once_all_get_their_own_answer(
    echo: EchoServer, proxies: Proxies
) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    await proxy.add(Toxic(kind="latency", latency_ms=20, jitter_ms=20), lease_s=60)
    words = [b"%d" % n for n in range(500)]
    answers = await asyncio.gather(*(said_back(proxy.port, word) for word in words))
    assert answers == [word + b"BYE" for word in words]
    assert (await proxy.state()).accepted == 500


async def test_latency_delays_and_keeps_the_order(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    await proxy.add(Toxic(kind="latency", latency_ms=150, jitter_ms=150, stream="upstream"), lease_s=60)
    await proxy.add(Toxic(kind="latency", latency_ms=150, stream="downstream"), lease_s=60)
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    for n in range(10):
        writer.write(b"%d" % n)
        await writer.drain()
    assert await reader.readexactly(10) == b"0123456789"
    assert time.monotonic() - began >= 0.15  # a least, so no machine is too slow for it
    writer.close()


async def test_bandwidth_is_a_bound_on_what_passes(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    await proxy.add(Toxic(kind="bandwidth", kb_per_s=100, stream="downstream"), lease_s=60)
    began = time.monotonic()
    assert len(await said_back(proxy.port, bytes(50_000))) == 50_003
    assert time.monotonic() - began >= 0.3


async def test_what_a_blackhole_held_back_arrives_when_it_is_gone(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    toxic = await proxy.add(Toxic(kind="timeout"), lease_s=60)
    asking = asyncio.create_task(said_back(proxy.port, b"hello"))
    await until(proxy, connections=1)
    done, _ = await asyncio.wait([asking], timeout=0.2)
    assert not done
    await proxy.remove(toxic)
    assert await asking == b"helloBYE"
    await proxy.remove(toxic)  # once more, to no effect


async def test_a_toxic_ends_with_its_lease_and_two_end_apart(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    await proxy.add(Toxic(kind="timeout", stream="upstream"), lease_s=0.2)
    lasting = await proxy.add(Toxic(kind="latency", latency_ms=1), lease_s=60)
    assert await said_back(proxy.port, b"hello") == b"helloBYE"
    assert (await proxy.state()).toxics == (lasting,)


@pytest.mark.parametrize("kind", ["reset_peer", "down", "timeout"])
async def test_connections_that_exist_are_ended_and_new_ones_work_afterwards(
    echo: EchoServer, proxies: Proxies, kind: Kind
) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    await proxy.add(Toxic(kind=kind, timeout_ms=1), lease_s=60)
    async with asyncio.timeout(PATIENCE_S):
        if kind == "timeout":
            assert await reader.read() == b""
        else:
            with pytest.raises(ConnectionResetError):
                await reader.read()
    writer.close()
    if kind == "down":
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        with (
            pytest.raises(OSError, match="in use"),
            socket.socket() as thief,
        ):  # the port stays ours all the while
            thief.bind(("127.0.0.1", proxy.port))
    await proxy.clear()
    assert await said_back(proxy.port, b"hello") == b"helloBYE"


async def test_limit_data_closes_after_so_many_bytes(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    await proxy.add(Toxic(kind="limit_data", limit_bytes=7, stream="downstream"), lease_s=60)
    assert await said_back(proxy.port, b"0123456789") == b"0123456"


async def test_slow_close_holds_the_end_back_and_nothing_else(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    toxic = await proxy.add(Toxic(kind="slow_close", delay_ms=300_000, stream="downstream"), lease_s=60)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write_eof()
    assert await reader.readexactly(3) == b"BYE"
    assert not reader.at_eof()
    await proxy.remove(toxic)
    assert await reader.read() == b""
    writer.close()


async def test_an_upstream_that_dies_ends_its_connections_and_is_reached_again_on_the_same_port(
    echo: EchoServer, proxies: Proxies
) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    await echo.die()
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionResetError):
        await said_back(proxy.port, b"hello")
    await echo.begin()
    assert await said_back(proxy.port, b"hello") == b"helloBYE"
    state = await proxy.state()
    assert (state.connections, state.unreached) == (0, 1)


async def test_an_upstream_may_be_told_later_and_may_speak_first(proxies: Proxies, tmp_path: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready")
        await reader.read()
        writer.close()

    told = tmp_path / "upstreams.json"
    proxy = await proxies.open("mail", told_by=told)
    with pytest.raises(ConnectionResetError):
        await said_back(proxy.port, b"too early")
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told.write_text(json.dumps({"mail": f"127.0.0.1:{port}"}))
        for _ in range(20):
            assert await said_back(proxy.port, b"EHLO") == b"220 ready"


async def test_what_makes_no_sense_is_refused_and_changes_nothing(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    with pytest.raises(ValueError, match="a lease lasts"):
        await proxy.add(Toxic(kind="latency", latency_ms=1), lease_s=0)
    with pytest.raises(ValueError, match="a lease lasts"):
        await proxy.add(Toxic(kind="latency", latency_ms=1), lease_s=10_000)
    with pytest.raises(ValueError, match="there is a proxy database already"):
        await proxies.open("database", upstream=echo.address)
    assert (await proxy.state()).toxics == ()


async def test_a_killed_proxy_process_is_noticed(echo: EchoServer, proxies: Proxies) -> None:
    proxy = await proxies.open("database", upstream=echo.address)
    os.kill(proxies.pid, signal.SIGKILL)
    with pytest.raises(CompanionGone, match="ended with status -9"):
        await proxy.state()
    assert "ended with status -9" in proxies.died()


EXAMINER = """
import asyncio, sys
from shipworthy.gauntlet.proxy.proxies import proxies_running
from shipworthy.gauntlet.proxy.toxic import Toxic
async def main():
    async with proxies_running() as proxies:
        proxy = await proxies.open("database", upstream=sys.argv[1])
        await proxies.serve([int(sys.argv[2])])
        await proxy.add(Toxic(kind="timeout"), lease_s=600)
        print(proxy.port, proxies.pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_when_the_examiner_is_killed_the_app_keeps_a_plain_way_until_it_ends(echo: EchoServer) -> None:
    app = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    examiner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", EXAMINER, echo.address, str(app.pid), stdout=asyncio.subprocess.PIPE
    )
    assert examiner.stdout is not None
    port, pid = map(int, (await examiner.stdout.readline()).split())
    asking = asyncio.create_task(said_back(port, b"hello"))
    examiner.kill()
    await examiner.wait()
    assert await asking == b"helloBYE"
    assert await said_back(port, b"again") == b"againBYE"
    app.kill()
    await app.wait()
    async with asyncio.timeout(PATIENCE_S):
        while process_id(pid):
            await asyncio.sleep(0.02)


async def until(proxy: Proxy, *, connections: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await proxy.state()).connections != connections:
            await asyncio.sleep(0.01)
