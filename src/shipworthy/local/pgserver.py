"""The server process of one prepared database: launched, awaited, shut down, explained.

Everything it needs on disk is there already (pgdata.py); who may start it is decided before
(postgres.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from shipworthy.local.account import Account
from shipworthy.local.errors import (
    LocalServiceError,
    PortTaken,
    ServiceFailed,
    disk_full,
    file_errors_explained,
    tells_of_full_disk,
)
from shipworthy.local.lifeline import Lifeline
from shipworthy.local.logs import log_since, open_log
from shipworthy.local.pgbinaries import Binaries
from shipworthy.local.pgdata import ENVIRONMENT, SUPERUSER, clear_leftovers, read_pid_file
from shipworthy.local.pghome import PostgresHome
from shipworthy.local.ports import LOOPBACK, free_port, port_taken


@dataclass(frozen=True, kw_only=True)
class PostgresAddress:
    """A server that accepts connections. The password is not shown when printed."""

    host: str
    port: int
    superuser: str
    password: str = field(repr=False)
    pid: int

    def url(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """Return a postgresql:// URL, of the superuser unless `user` is given.

        Example: address.url("app", user="reader", password="s3cret")
        """
        name = user or self.superuser
        secret = self.password if user is None and password is None else password
        login = quote(name, safe="") + (f":{quote(secret, safe='')}" if secret is not None else "")
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(database, safe='')}"


class Server:
    """The server process of one prepared database: launched, watched, shut down."""

    def __init__(
        self,
        *,
        home: PostgresHome,
        binaries: Binaries,
        account: Account,
        password: str,
        settings: Mapping[str, str],
        log_file: Path,
    ) -> None:
        self._home, self._binaries, self._account = home, binaries, account
        self._password, self._settings, self._log_file = password, settings, log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None
        self.port = 0

    def launch(self, *, port: int, timeout_s: float) -> PostgresAddress:
        """Start the process and wait until it answers; a free port lost to a racer is chosen again."""
        if self._lifeline is not None:
            self._lifeline.release()
        clear_leftovers(self._home.data)  # also backends that outlived a killed server
        for attempts_left in (4, 3, 2, 1, 0):
            try:
                return self._launch_on(port or free_port(), timeout_s=timeout_s)
            except PortTaken:
                if port or not attempts_left:
                    raise
        raise AssertionError("unreachable")

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def shut_down(self, *, timeout_s: float) -> None:
        """Ask for a fast shutdown, then insist. An insisted one recovers at the next start."""
        process = self._process
        if process is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(timeout_s if how is signal.SIGINT else 10.0)
                except subprocess.TimeoutExpired:
                    continue
        if self._lifeline is not None:
            self._lifeline.release()
        self._process = self._lifeline = None

    def note(self, text: str) -> None:
        """Write a line of our own into the server's log."""
        with suppress(OSError), open_log(self._log_file) as log:  # the disk may be full
            log.write(f"shipworthy: {text}\n".encode())

    def reset_password(self) -> None:
        """Give the superuser the password we have: the file that held the old one was lost."""
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{self._password}'\n"  # urlsafe, nothing to quote
        with open_log(self._log_file) as log:
            subprocess.run(
                [*self._command(), "--single", "-D", str(self._home.data), *self._options(), "postgres"],
                input=statement.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=ENVIRONMENT,
                timeout=120,
                check=True,
                **self._account.popen_arguments(),
            )

    def _command(self) -> list[str]:
        return [str(self._binaries.program("postgres"))]

    def _options(self, **more: str) -> list[str]:
        # On the command line and not in a file: it wins over ALTER SYSTEM and is never stale.
        pairs = {**self._settings, **more}
        return [part for name, value in pairs.items() for part in ("-c", f"{name}={value}")]

    def _launch_on(self, port: int, *, timeout_s: float) -> PostgresAddress:
        with file_errors_explained(self._log_file.parent):
            log = open_log(self._log_file)
        with log:
            log_offset = log.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                [
                    *self._command(),
                    "-D",
                    str(self._home.data),
                    *self._options(listen_addresses=LOOPBACK, port=str(port), unix_socket_directories=""),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is ours: the web server stops before its database
                **self._account.popen_arguments(),
            )
        self._lifeline = Lifeline(
            self._process.pid, how=signal.SIGINT, account=self._account.popen_arguments()
        )
        self.port = port
        try:
            self._wait_until_ready(log_offset=log_offset, timeout_s=timeout_s)
        except BaseException:
            self.shut_down(timeout_s=30.0)
            raise
        return PostgresAddress(
            host=LOOPBACK,
            port=port,
            superuser=SUPERUSER,
            password=self._password,
            pid=self._process.pid,
        )

    def _wait_until_ready(self, *, log_offset: int, timeout_s: float) -> None:
        # postmaster.pid says "ready" once connections are accepted; pg_ctl waits the same way.
        process = self._process
        assert process is not None
        deadline_s = time.monotonic() + timeout_s
        while True:
            found = read_pid_file(self._home.data)
            if found and found.pid == process.pid and found.is_ready:
                return
            if process.poll() is not None:
                raise self._explain(log_since(self._log_file, offset=log_offset))
            if time.monotonic() > deadline_s:
                raise ServiceFailed(
                    f"PostgreSQL did not accept connections within {timeout_s:g} s. Its log says why: "
                    f"{self._log_file}. It may still have been recovering; starting again continues."
                )
            time.sleep(0.01)

    def _explain(self, said: str) -> LocalServiceError:
        """Turn the last words of a server that would not start into one sentence."""
        if tells_of_full_disk(said):
            return disk_full(self._home.path)
        if "could not create any TCP/IP sockets" in said:
            return port_taken(self.port, what="database")
        fatal = [line for line in said.splitlines() if "FATAL:" in line or "PANIC:" in line]
        reason = fatal[-1].split(":  ", 1)[-1] if fatal else "it gave no reason"
        return ServiceFailed(f"PostgreSQL did not start: {reason}. Its log: {self._log_file}")
