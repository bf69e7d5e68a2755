"""Other people's sign-in, each as its own documentation sets it up for production, to load beside ours.

The same PostgreSQL, the same Argon2id parameters (read back out of the database before anything is
measured), confirmed accounts, a session in the database for each sign-in, the peer's own limit
raised to the offered rate. Each lives in an environment of its own below build/peers, at the pinned
versions that stand in its folder here.

    with auth_peer.running(database_url, core=1, accounts=50, rate_per_s=200) as peer:
        if peer is None: ...            # it cannot be had here: not measured
        peer.login(nth)                 # the request that signs account `nth` in, and what answers it
        peer.healthz                    # a route of the same server that asks nobody
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import peers
from shipworthy.local.ports import free_port

MEMORY_KIB, PASSES = 19_456, 2  # and one lane: what our own app takes by default
PASSWORD = "correct horse battery staple"
_HERE = Path(__file__).parent
_PREPARE_TIMEOUT_S, _START_TIMEOUT_S = 180.0, 60.0
_CSRF = "c" * 32  # Django compares a cookie with a header; any value that is the same in both is right


@dataclass(frozen=True)
class LoginRequest:
    """What signs one account in over HTTP, and the status that says it did."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    signed_in: int


@dataclass(frozen=True, kw_only=True)
class Installed:
    """How an installed peer is made ready and run, in `folder`."""

    folder: Path
    prepare: tuple[str, ...]
    serve: Callable[[int], tuple[str, ...]]  # of the port


@dataclass(frozen=True, kw_only=True)
class AuthPeer:
    """One peer. `name` begins its figures; `settings` are printed beside them."""

    name: str
    settings: Mapping[str, str]
    install: Callable[[], Installed | None]
    request: Callable[[str, str, str], LoginRequest]  # of origin, e-mail address and password
    stored_hash: str  # the query for one of its password hashes
    healthz: str = "/healthz"

    @contextmanager
    def running(
        self, database_url: str, *, core: int | None, accounts: int, rate_per_s: float
    ) -> Iterator[RunningPeer | None]:
        """Run it on an empty database, on one core if given; None when it cannot be installed here.

        Errors:  RuntimeError with its last words when it does not start.
        """
        running = self.start(database_url, core=core, accounts=accounts, rate_per_s=rate_per_s)
        try:
            yield running
        finally:
            if running is not None:
                running.stop()

    def start(
        self, database_url: str, *, core: int | None, accounts: int, rate_per_s: float
    ) -> RunningPeer | None:
        """As `running`, for a caller who calls `stop`."""
        installed = self.install()
        if installed is None:
            return None
        port = free_port()
        environment = {
            **os.environ,
            "NODE_ENV": "production",
            "PEER_DATABASE_URL": database_url,
            "PEER_PORT": str(port),
            "PEER_ACCOUNTS": str(accounts),
            "PEER_PASSWORD": PASSWORD,
            "PEER_RATE_PER_S": str(round(rate_per_s * 2) + 10),  # arrivals come in bunches
            "PEER_SECRET": secrets.token_urlsafe(32),
            "PEER_MEMORY_KIB": str(MEMORY_KIB),
            "PEER_PASSES": str(PASSES),
        }
        log = installed.folder / "peer.log"
        with log.open("wb") as said:
            run = partial(subprocess.run, stdout=said, stderr=said, check=False, timeout=_PREPARE_TIMEOUT_S)
            if run(installed.prepare, cwd=installed.folder, env=environment).returncode != 0:
                raise RuntimeError(f"{self.name} was not made ready: {log.read_text()[-2000:]}")
            process = subprocess.Popen(
                installed.serve(port),
                cwd=installed.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=None if core is None else partial(os.sched_setaffinity, 0, {core}),  # noqa: PLW1509
            )
        running = RunningPeer(self, process, port, log)
        try:
            running.wait()
        except BaseException:
            running.stop()
            raise
        return running


@dataclass(frozen=True)
class RunningPeer:
    """A peer that answers."""

    peer: AuthPeer
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def healthz(self) -> str:
        return self.peer.healthz

    def login(self, nth: int, *, password: str = PASSWORD) -> LoginRequest:
        origin = f"http://localhost:{self.port}"
        return self.peer.request(origin, f"person{nth}@example.com", password)

    def cpu_s(self) -> float:
        """Return the CPU seconds its processes have used so far, those that ended left out."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(") ")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == self.process.pid:  # the group it leads
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.healthz}", timeout=5):
                    return
            except OSError as failed:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    said = self.log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{self.peer.name} did not start ({failed}): {said}") from failed
            time.sleep(0.1)

    def stop(self) -> None:
        peers.stop_group(self.process)


def _better_auth() -> Installed | None:
    folder, node = peers.npm_locked_peer("better-auth", _HERE / "better_auth"), peers.program("node")
    if folder is None or node is None:
        return None
    return Installed(
        folder=folder,
        prepare=(node, "server.mjs", "prepare"),
        serve=lambda _port: (node, "server.mjs", "serve"),
    )


def _fastapi_users() -> Installed | None:
    return _of_python("fastapi-users", "fastapi_users", lambda python, port: (
        str(python), "-m", "uvicorn", "peer:app", "--host", "127.0.0.1", "--port", str(port),
        "--log-level", "warning",
    ))  # fmt: skip


def _allauth() -> Installed | None:
    # gunicorn's own advice for how many workers: twice the cores and one.
    return _of_python("allauth", "allauth", lambda python, port: (
        str(python), "-m", "gunicorn", "peer:application", "--workers", "3", "--no-control-socket", "--bind", f"127.0.0.1:{port}",
    ))  # fmt: skip


def _of_python(name: str, folder: str, serve: Callable[[Path, int], tuple[str, ...]]) -> Installed | None:
    python = peers.python_peer(name, *peers.pins(_HERE / folder / "requirements.txt"))
    if python is None:
        return None
    home = python.parent.parent / "app"
    home.mkdir(exist_ok=True)
    shutil.copy(_HERE / folder / "peer.py", home)
    return Installed(folder=home, prepare=(str(python), "peer.py"), serve=partial(serve, python))


def _better_auth_login(origin: str, email: str, password: str) -> LoginRequest:
    headers = {"content-type": "application/json", "origin": origin}
    body = json.dumps({"email": email, "password": password}).encode()
    return LoginRequest("/api/auth/sign-in/email", headers, body, 200)


def _fastapi_users_login(_origin: str, email: str, password: str) -> LoginRequest:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return LoginRequest(
        "/auth/login", headers, urlencode({"username": email, "password": password}).encode(), 204
    )


def _allauth_login(_origin: str, email: str, password: str) -> LoginRequest:
    headers = {"content-type": "application/json", "cookie": f"csrftoken={_CSRF}", "x-csrftoken": _CSRF}
    body = json.dumps({"email": email, "password": password}).encode()
    return LoginRequest("/_allauth/browser/v1/auth/login", headers, body, 200)


AUTH_PEERS = (
    AuthPeer(
        name="better_auth",
        settings={
            "version": "better-auth 1.7.25, @node-rs/argon2 2.2.1, pg 8.23.1, the machine's Node",
            "server": "node:http with toNodeHandler, NODE_ENV=production, one process",
            "session": "database",
            "limit": "rateLimit on, in memory, raised to the offered rate",
        },
        install=_better_auth,
        request=_better_auth_login,
        stored_hash="select password from account limit 1",
    ),
    AuthPeer(
        name="fastapi_users",
        settings={
            "version": "fastapi-users 15.0.5, fastapi 0.165.0, SQLAlchemy 2.0.58, asyncpg 0.32.0",
            "server": "uvicorn 0.54.0 with uvloop and httptools, one process",
            "session": "DatabaseStrategy and CookieTransport",
            "limit": "it has none",
        },
        install=_fastapi_users,
        request=_fastapi_users_login,
        stored_hash='select hashed_password from "user" limit 1',
    ),
    AuthPeer(
        name="allauth",
        settings={
            "version": "django-allauth 65.22.1, Django 5.2.19 (6.1.3 on Python 3.12), psycopg 3.3.9",
            "server": "gunicorn 27.0.1, three workers, kept connections",
            "session": "django.contrib.sessions in the database, headless browser client",
            "limit": "ACCOUNT_RATE_LIMITS, in memory, raised to the offered rate",
        },
        install=_allauth,
        request=_allauth_login,
        stored_hash="select password from auth_user limit 1",
    ),
)
