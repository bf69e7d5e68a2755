"""The laptop's PostgreSQL: one real server per app, under our own supervision.

Owns starting, stopping and restarting it. A server that is started answers: `start` returns
only when connections are accepted. What was committed survives everything tests/local/
test_postgres.py does to it: kill -9 of the server, of its supervisor, a second start, a full
disk.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal

from shipworthy.local.account import service_account
from shipworthy.local.errors import DatabaseMissing, LocalServiceError, file_errors_explained
from shipworthy.local.pgbinaries import Binaries, installed_binaries, runnable_binaries
from shipworthy.local.pgdata import SUPERUSER, clear_leftovers, create_data, read_pid_file, require_usable
from shipworthy.local.pghome import REACHABLE_ROOT, claim_home, forget_home, known_home
from shipworthy.local.pgserver import PostgresAddress, Server
from shipworthy.local.ports import LOOPBACK
from shipworthy.local.processes import to_its_end
from shipworthy.local.statedir import DirectoryLock, StateDir

__all__ = ["SETTINGS", "EmbeddedPostgres", "PostgresAddress", "PostgresStatus"]

SETTINGS: Mapping[str, str] = {
    # A laptop's crash must cost nothing that was committed; these three stay on.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    # The examiner reads these: plans of real statements, without the noise of utility commands.
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "pg_stat_statements.track": "top",
    "pg_stat_statements.track_utility": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # A backup that does not follow any more must not fill the disk with what it has not fetched.
    "max_slot_wal_keep_size": "1GB",
}
_SECRET = "postgres_superuser_password"  # noqa: S105 - the name of the secret
_BACKOFF_S_FIRST, _BACKOFF_S_MAX = 0.2, 5.0


@dataclass(frozen=True, kw_only=True)
class PostgresStatus:
    """What can be seen from outside: `absent` means that no database was made yet."""

    state: Literal["absent", "stopped", "running"]
    data: Path
    pid: int | None = None
    port: int | None = None


class EmbeddedPostgres:
    """One app's database server. Use from one process; a second one is refused.

    The supervisor holds a lock for as long as it lives, and the server holds on to the
    supervisor: if that is killed, the server shuts down cleanly within moments, and whatever
    is still there at the next start is stopped cleanly first.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        settings: Mapping[str, str] | None = None,
        binaries: Binaries | None = None,
        reachable_root: Path = REACHABLE_ROOT,
    ) -> None:
        self._state = StateDir(state_dir.absolute())
        self._settings = {**SETTINGS, **(settings or {})}
        self._binaries = binaries
        self._reachable_root = reachable_root
        self._locks: list[DirectoryLock] = []
        self._server: Server | None = None

    @property
    def log_file(self) -> Path:
        return self._state.logs / "postgres.log"

    def start(self, *, port: int = 0, timeout_s: float = 120.0) -> PostgresAddress:
        """Start the server, making the database the first time, and return once it answers.

        `port` 0 takes any free port. `timeout_s` bounds the wait for crash recovery.

        Errors:  LocalServiceError; nothing is left running and the lock is free again.
        Cost:    about 1 s for a new database, 0.3 s for one that exists.
        """
        assert self._server is None, "already started"
        self._state.ensure()
        self._locks.append(self._state.lock())
        try:
            self._server = self._prepare()
            return self._server.launch(port=port, timeout_s=timeout_s)
        except BaseException:
            self.stop()
            raise

    def stop(self, *, timeout_s: float = 30.0) -> None:
        """Shut the server down and give up the lock. Harmless when it is not running."""
        if self._server is not None:
            self._server.shut_down(timeout_s=timeout_s)
            self._server = None
        while self._locks:
            self._locks.pop().release()

    def status(self) -> PostgresStatus:
        """Say what is there, from any process and without touching anything."""
        home = known_home(self._state)
        if not home.data.exists():
            return PostgresStatus(state="absent", data=home.data)
        with file_errors_explained(home.data):
            found = read_pid_file(home.data)
        if found is None or not found.is_ready or found.port is None or not _answers(found.port):
            return PostgresStatus(state="stopped", data=home.data)
        return PostgresStatus(state="running", data=home.data, pid=found.pid, port=found.port)

    @contextmanager
    def reached(self) -> Iterator[PostgresAddress]:
        """Yield the address of the server that runs, whoever runs it, or start it for as long as this lasts.

        Errors:  DatabaseMissing where no database was made yet; else as `start`.
        """
        seen = self.status()
        if seen.state == "absent":
            raise DatabaseMissing(
                f"There is no database in {self._state.path} yet. `shipworthy up` makes one."
            )
        if seen.state == "stopped":
            with self as address:
                yield address
            return
        assert seen.port is not None
        assert seen.pid is not None
        password = self._state.all_secrets().get(_SECRET, "")
        yield PostgresAddress(
            host=LOOPBACK, port=seen.port, superuser=SUPERUSER, password=password, pid=seen.pid
        )

    async def keep_running(self, *, on_change: Callable[[PostgresAddress], None]) -> None:
        """Start the server again, on the same port, whenever it dies; runs until cancelled.

        `on_change` gets the new pid. A failed restart is written to the server's log and tried
        again with growing pauses, without end: a full disk may be freed at any time.
        """
        assert self._server is not None, "start first"
        server = self._server
        backoff_s = _BACKOFF_S_FIRST
        while True:
            await asyncio.sleep(0.1)
            if server.is_alive():
                continue
            try:
                # A cancelled restart is finished first: stop() must find the process it started.
                address = await to_its_end(partial(server.launch, port=server.port, timeout_s=120.0))
            except LocalServiceError as error:
                server.note(f"restart failed, next try in {backoff_s:g} s: {error.message}")
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, _BACKOFF_S_MAX)
            else:
                backoff_s = _BACKOFF_S_FIRST
                on_change(address)

    def destroy(self) -> None:
        """Stop the server and delete the database for good, wherever it lies.

        Errors:  AlreadyRunning when another process runs it.
        """
        self.stop()
        self._state.ensure()
        self._locks.append(self._state.lock())
        try:
            home = known_home(self._state)
            if home.data.exists():
                clear_leftovers(home.data)
            forget_home(self._state, home)
        finally:
            self.stop()

    def __enter__(self) -> PostgresAddress:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> Server:
        """Bring the disk to the point where a server can be launched. Call with the state lock held."""
        account = service_account(owner_of=known_home(self._state).data)
        home = claim_home(self._state, account=account, reachable_root=self._reachable_root)
        if home.is_outside:
            # A copied app directory points to the same database: only one of the two may run it.
            self._locks.append(DirectoryLock(home.path / "lock"))
        binaries = runnable_binaries(
            self._binaries or installed_binaries(), account=account, copy_to=home.binaries
        )
        had_password = _SECRET in self._state.all_secrets()
        password = self._state.secret(_SECRET)  # stored before the database that needs it exists
        if not home.data.exists():
            create_data(home.data, binaries=binaries, account=account, password=password)
            had_password = True
        require_usable(home.data, binaries=binaries, account=account)
        server = Server(
            home=home,
            binaries=binaries,
            account=account,
            password=password,
            settings=self._settings,
            log_file=self.log_file,
        )
        if not had_password:
            clear_leftovers(home.data)
            server.reset_password()
        return server


def _answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=2.0).close()
    except OSError:
        return False
    return True
