"""`make bench NAME=peers-auth`: does each sign-in peer answer as the auth benchmarks expect? Forty sign-ins each.

A smoke test, not a measurement: one after another, on whatever else this machine does. The figures
that are claimed come from `auth-overload`.
"""

from __future__ import annotations

import asyncio
import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from benchmarks.peers_auth import AUTH_PEERS, MEMORY_KIB, PASSES, AuthPeer, RunningPeer
from benchmarks.report import Figure, Report, publish
from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress

_LOGINS = 40  # more than any of them admits from one address by default
_CORE = 1


def main() -> None:
    """Start each peer on a database of its own, sign in, and publish."""
    figures: dict[str, Figure] = {"hash_params": f"argon2id m={MEMORY_KIB} t={PASSES} p=1"}
    with tempfile.TemporaryDirectory(prefix="shipworthy-bench-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder))
        address = server.start()
        try:
            for peer in AUTH_PEERS:
                figures |= {f"{peer.name}_{key}": value for key, value in _smoke(peer, address).items()}
        finally:
            server.stop()
    notes = [f"{peer.name}: {key}: {said}" for peer in AUTH_PEERS for key, said in peer.settings.items()]
    notes.insert(0, "a smoke test of forty sign-ins in a row: shown, not claimed")
    publish(Report(name="peers-auth", figures=figures, valid=False, notes=notes))


def _smoke(peer: AuthPeer, address: PostgresAddress) -> dict[str, Figure]:
    asyncio.run(_asked(address.url(), f'create database "{peer.name}"'))
    url = address.url(peer.name)
    with peer.running(url, core=_CORE, accounts=_LOGINS, rate_per_s=1000) as running:
        if running is None:
            return dict.fromkeys(("logins", "login_p50_ms", "login_cpu_ms", "healthz_p50_ms"))
        stored = asyncio.run(_asked(url, peer.stored_hash))
        if f"m={MEMORY_KIB},t={PASSES},p=1$" not in stored:
            raise RuntimeError(f"{peer.name} hashes with other parameters: {stored.rpartition('$')[0]}")
        if _status(running, 0, password="wrong password of this account") == running.login(0).signed_in:
            raise RuntimeError(f"{peer.name} takes a wrong password")
        cpu_s, times_s = running.cpu_s(), []
        for nth in range(_LOGINS):
            began = time.perf_counter()
            status = _status(running, nth)
            times_s.append(time.perf_counter() - began)
            if status != running.login(nth).signed_in:
                raise RuntimeError(f"{peer.name} answered {status}: {running.log.read_text()[-2000:]}")
        cpu_s = running.cpu_s() - cpu_s
        health_s = [_timed_get(running) for _ in range(_LOGINS)]
    return {
        "logins": len(times_s),
        "login_p50_ms": round(statistics.median(times_s) * 1000, 1),
        "login_cpu_ms": round(cpu_s / len(times_s) * 1000, 1),
        "healthz_p50_ms": round(statistics.median(health_s) * 1000, 2),
    }


def _status(running: RunningPeer, nth: int, **wrong: str) -> int:
    request = running.login(nth, **wrong)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    headers = {"host": f"localhost:{running.port}", **request.headers}
    connection.request("POST", request.path, body=request.body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status == request.signed_in and not answer.getheader("set-cookie"):
        raise RuntimeError(f"{running.peer.name} gave no session")
    return answer.status


def _timed_get(running: RunningPeer) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    connection.request("GET", running.healthz)
    if connection.getresponse().status != 200:
        raise RuntimeError(f"{running.peer.name} is not well")
    connection.close()
    return time.perf_counter() - began


async def _asked(url: str, sql: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(sql))
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
