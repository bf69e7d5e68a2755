"""The way to a provider: public addresses only, small answers, no redirects, soon over.

Covers: breaker.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from shipworthy.kernel.breaker import FAILURES_MAX, OPEN_S, Breaker
from shipworthy.kernel.egress import AT_ONCE_MAX, Egress, ProviderFailed, guarded, is_public

PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:1::", "ff02::1",
)  # fmt: skip
NO_ADDRESSES = (
    "http://accounts.example/", "https://a@accounts.example/", "https:///x", "ftp://accounts.example/",
    "file:///etc/passwd", "https://accounts.example:0/", "https://accounts.example:99999/", "https://[::1/",
    "https://accounts.example/\r\nx: y", "https://accounts.example/a b", "https://accounts.example\\@evil.example/",
    "https://bücher.example/", "gopher://127.0.0.1/", "", "//accounts.example/",
)  # fmt: skip


def open_egress(
    *, loopback_allowed: bool = True, now_s: Callable[[], float] = lambda: 0.0, timeout_s: float = 2.0
) -> Egress:
    return Egress(loopback_allowed=loopback_allowed, breaker=Breaker(clock=now_s), timeout_s=timeout_s)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"])
def test_what_is_is_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_addresses_a_provider_may_not_name(url: str) -> None:
    with pytest.raises(ProviderFailed):
        guarded(url, loopback_allowed=False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0x7f000001", "2130706433"]
)
async def test_no_form_of_a_private_address_is_connected_to(host: str) -> None:
    async with serving(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as (port, seen):
        with pytest.raises(ProviderFailed):
            await open_egress(loopback_allowed=False).get(f"https://{host}:{port}/")
        assert not seen


async def test_one_private_address_spoils_all_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_args: object, **_more: object) -> list[object]:
        return [(0, 0, 0, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(ProviderFailed, match="public addresses only"):
        await open_egress().get("https://rebinding.example/")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n" + b"x" * 400_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000 + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
    ids=["redirect", "500", "large", "endless", "headers", "half", "not-http", "nothing"],
)
async def test_an_answer_that_is_not_in_order_is_a_failure(answer: bytes) -> None:
    async with serving(answer) as (port, _):
        with pytest.raises(ProviderFailed):
            await open_egress().get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nok",
    ],
)
async def test_an_answer_that_is_comes_back_whole(answer: bytes) -> None:
    async with serving(answer) as (port, seen):
        egress = open_egress()
        told = await egress.post(f"http://127.0.0.1:{port}/t?a=b", {"code": "c & d"}, headers={"x": "y"})
        assert (told.status, told.body) == (200, b"ok")
    assert seen[0].startswith(b"POST /t?a=b HTTP/1.1\r\n")
    assert seen[0].endswith(b"\r\n\r\ncode=c+%26+d")


async def test_a_provider_that_says_nothing_is_left_within_the_timeout() -> None:
    async with serving(None) as (port, _):
        with pytest.raises(ProviderFailed, match="TimeoutError"):
            await open_egress(timeout_s=0.05).get(f"http://127.0.0.1:{port}/")


async def test_no_more_than_a_few_are_under_way_at_once() -> None:
    async with serving(None) as (port, seen):
        egress = open_egress(timeout_s=60)
        tries = [
            asyncio.ensure_future(egress.get(f"http://127.0.0.1:{port}/")) for _ in range(AT_ONCE_MAX * 2)
        ]
        while len(seen) < AT_ONCE_MAX:
            await asyncio.sleep(0.01)
        _, ours = await asyncio.open_connection("127.0.0.1", port)
        ours.write(b"whoever is let through has come by now")
        while not seen[-1].startswith(b"whoever"):
            await asyncio.sleep(0.01)
        assert len(seen) == AT_ONCE_MAX + 1
        ours.close()
        for one in tries:
            one.cancel()
        await asyncio.gather(*tries, return_exceptions=True)


async def test_a_provider_that_fails_again_and_again_is_left_alone_and_tried_by_one() -> None:
    now = [0.0]
    egress = open_egress(now_s=lambda: now[0])
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        for _ in range(FAILURES_MAX):
            with pytest.raises(ProviderFailed, match="Refused"):
                await egress.get(f"http://127.0.0.1:{port}/")
        with pytest.raises(ProviderFailed, match="left alone"):
            await egress.get(f"http://127.0.0.1:{port}/")
    async with serving(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") as (port, _):
        now[0] += OPEN_S
        assert (await egress.get(f"http://127.0.0.1:{port}/")).status == 200
        assert (await egress.get(f"http://127.0.0.1:{port}/")).status == 200


def test_after_an_open_spell_one_try_decides() -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    for _ in range(FAILURES_MAX):
        assert breaker.lets_through()
        breaker.failed()
    now[0] += OPEN_S
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.lets_through()
    now[0] += OPEN_S
    assert breaker.lets_through()
    breaker.worked()
    assert all(breaker.lets_through() for _ in range(3))


@asynccontextmanager
async def serving(answer: bytes | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answer every request with these bytes; None never answers."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(65_536))
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()
