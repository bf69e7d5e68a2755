"""One version of a small service: three journeys, twenty tenants, and a fault planted on request.

    python -m benchmarks.canary.version --port 8001 --name v2 --fault slow

It waits as for a database (lognormal) and uses next to no processor, so that several versions and a
load fit on two cores. A failure it was told to give carries X-Planted: every other one is a dropped request.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import signal
import sys
from dataclasses import dataclass

from shipworthy.delivery.fleet import Journey

# Objectives, and what a healthy version takes: some 2 % are beyond.
JOURNEYS = (
    Journey(name="page", threshold_ms=80.0, method="GET", path="/page/[^/]+"),
    Journey(name="invoice", threshold_ms=120.0, method="POST", path="/invoices"),
    Journey(name="login", threshold_ms=100.0, method="POST", path="/login"),
)
_MEDIAN_MS = {"page": 50.0, "invoice": 75.0, "login": 62.0}
_SIGMA = 0.22
_ERRORS = 0.002
BROKEN_TENANT = "t2"
FAULTS = ("none", "slow", "errors3", "errors30", "slow-invoices", "one-tenant", "dead", "crash", "mute")
_ANSWER = "HTTP/1.1 {code} {words}\r\nContent-Length: {length}\r\nX-Version: {name}\r\n{more}\r\n{body}"


@dataclass(frozen=True)
class Version:
    """What is served: `fault` is one of FAULTS."""

    name: str
    fault: str = "none"
    errors: float = _ERRORS
    median_ms: float = 1.0  # times the journey's

    def argv(self, port: int) -> list[str]:
        return [
            sys.executable,
            "-m",
            "benchmarks.canary.version",
            "--port",
            str(port),
            "--name",
            self.name,
            "--fault",
            self.fault,
            "--errors",
            str(self.errors),
            "--median",
            str(self.median_ms),
        ]


class Service:
    """Answers; one of it in a process."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._luck = random.Random(version.name)
        self._under_way = 0
        self._stopping = asyncio.Event()

    async def serve(self, port: int) -> None:
        if self._version.fault == "crash":
            sys.stderr.write("no such table: invoice_line\n")
            sys.exit(3)
        server = await asyncio.start_server(self._connection, "127.0.0.1", port)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        await self._stopping.wait()
        server.close()
        while self._under_way:  # noqa: ASYNC110 - a handful of answers, once
            await asyncio.sleep(0.01)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self._stopping.is_set():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = _header(head, "content-length")
                await reader.readexactly(int(length or 0))
                self._under_way += 1
                try:
                    writer.write((await self._answer(head)).encode("latin-1"))
                    await writer.drain()
                finally:
                    self._under_way -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: str) -> str:
        method, path, _ = head.split(" ", 2)
        if path == "/-/healthz":
            return self._told(503 if self._version.fault == "mute" else 200)
        journey = "page" if method == "GET" else "invoice" if path == "/invoices" else "login"
        tenant = _tenant_of(_header(head, "cookie"))
        await asyncio.sleep(self._wait_ms(journey) / 1000)
        return self._told(500 if self._fails(tenant) else 200, tenant=tenant)

    def _wait_ms(self, journey: str) -> float:
        slow = self._version.fault == "slow" or (
            self._version.fault == "slow-invoices" and journey == "invoice"
        )
        times = self._version.median_ms * (2.0 if slow else 1.0)
        return times * _MEDIAN_MS[journey] * math.exp(_SIGMA * self._luck.gauss(0.0, 1.0))

    def _fails(self, tenant: str) -> bool:
        fault = self._version.fault
        if fault == "dead" or (fault == "one-tenant" and tenant == BROKEN_TENANT):
            return True
        share = {"errors3": 0.03, "errors30": 0.30}.get(fault, self._version.errors)
        return self._luck.random() < share

    def _told(self, code: int, *, tenant: str = "") -> str:
        more = f"X-Shipworthy-Tenant: {tenant}\r\n" if tenant else ""
        more += "X-Planted: 1\r\n" if code >= 500 else ""
        words = {200: "OK", 500: "Internal Server Error", 503: "Service Unavailable"}[code]
        return _ANSWER.format(code=code, words=words, length=2, name=self._version.name, more=more, body="ok")


def token(number: int, tenant: str) -> str:
    """A session's token: its beginning tells sessions apart, its end whose it is."""
    return f"{number:06x}{'0' * 20}-{tenant}"


def _tenant_of(cookie: str) -> str:
    return cookie.rpartition("-")[2] if "sid=" in cookie else ""


def _header(head: str, name: str) -> str:
    for line in head.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="v1")
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--errors", type=float, default=_ERRORS)
    parser.add_argument("--median", type=float, default=1.0)
    chosen = parser.parse_args()
    asyncio.run(Service(Version(chosen.name, chosen.fault, chosen.errors, chosen.median)).serve(chosen.port))
