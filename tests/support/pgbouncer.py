"""A real PgBouncer in transaction mode with one connection to the server: the worst that can stand between."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from shipworthy.local.ports import free_port
from tests.support.app import PASSWORDS
from tests.support.postgres import open_directory

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None, reason="pooling is NOT MEASURED: there is no pgbouncer (apt-get install pgbouncer)"
)
_START_TIMEOUT_S = 20.0


class Pooler:
    """Where it listens, and an address made to go by it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, straight: str) -> str:
        parts = urlsplit(straight)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))


@contextmanager
def pgbouncer(
    server_url: str, *, logins: Mapping[str, str] = PASSWORDS, connections: int = 1
) -> Iterator[Pooler]:
    """Run one before every database of a server, for these roles; stop it afterwards."""
    assert PROGRAM is not None, "the test is skipped without it"
    server, port = urlsplit(server_url), free_port()
    with open_directory() as folder:
        users = folder / "users.txt"
        users.write_text("".join(f'"{role}" "{word}"\n' for role, word in logins.items()))
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={server.hostname} port={server.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\n"
            f"auth_file = {users}\npool_mode = transaction\ndefault_pool_size = {connections}\n"
            "server_check_delay = 0\nlogfile = /dev/null\n"
        )
        # It will not run as root, nor will it need to.
        unprivileged = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([PROGRAM, str(settings)], stdout=log, stderr=log, **unprivileged)  # type: ignore[call-overload]
        try:
            _until_it_listens(process, port, folder)
            yield Pooler(port)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until_it_listens(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "pgbouncer does not listen"
            time.sleep(0.02)
