"""Following a database: every change is in the backups' folder moments after it was made.

PostgreSQL streams its write-ahead log to `pg_receivewal`, through a slot that keeps what was not fetched yet.
Archiving by `archive_command` was rejected: it hands over whole 16 MB segments, so that a quiet app loses
minutes, and it fills the database's own disk without bound when the backups' disk is full.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from shipworthy.local.backup.programs import (
    SLOT,
    command,
    environment,
    run_program,
    telling_line,
    whereabouts,
)
from shipworthy.local.backup.vault import Vault, copy_missing, line_of, new_line
from shipworthy.local.errors import (
    LocalServiceError,
    ServiceFailed,
    disk_full,
    file_errors_explained,
    tells_of_full_disk,
)
from shipworthy.local.postgres import PostgresAddress
from shipworthy.local.statedir import StateDir

_SLOT_TIMEOUT_S = 60.0
_FILES_PERIOD_S = 5.0  # a walk over the files' folder
_AGAIN_S = 5.0
# PostgreSQL's words when what was not fetched in time is gone, or the slot with it.
_BROKEN = ("has already been removed", "can no longer", "has been invalidated", "does not exist")


class Follower:
    """Follows one database into one folder until it is stopped."""

    def __init__(
        self,
        vault: Vault,
        state: StateDir,
        address: PostgresAddress,
        *,
        take: Callable[[], Awaitable[None]],
        say: Callable[[str], None],
    ) -> None:
        self._vault, self._state, self._address = vault, state, address
        self._take, self._say = take, say

    async def run(self, *, ready: Callable[[], None]) -> None:
        """Follow until cancelled; calls `ready` once changes arrive and a backup is there that they continue.

        A disk that is full and a database that is away are tried again without end; nothing of the database
        waits for us meanwhile.
        """
        mirror = asyncio.create_task(self._mirror())
        try:
            while True:
                try:
                    await self._follow(ready)
                except LocalServiceError as failed:
                    self._say(f"{failed.message} Next try in {_AGAIN_S:g} s.")
                await asyncio.sleep(_AGAIN_S)
        finally:
            mirror.cancel()
            await asyncio.gather(mirror, return_exceptions=True)

    async def _follow(self, ready: Callable[[], None]) -> None:
        line = line_of(self._state)
        folder = self._vault.ensure().wal(line)
        with file_errors_explained(self._vault.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(self._slot, "--create-slot", "--if-not-exists")
        process = await asyncio.create_subprocess_exec(
            command("pg_receivewal"), *whereabouts(self._address), "--directory", str(folder), "--slot", SLOT,
            "--synchronous", "--no-loop", "--verbose",
            env=environment(self._address), cwd="/", umask=0o077,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            streaming = asyncio.Event()
            said = asyncio.create_task(_last_words(process, streaming))
            begun = asyncio.create_task(streaming.wait())
            await asyncio.wait({said, begun}, return_when=asyncio.FIRST_COMPLETED)
            begun.cancel()
            if streaming.is_set():
                # A backup of this line begins after its slot: whatever comes later is followed already.
                if not any(backup.line == line for backup in self._vault.backups()):
                    await self._take()
                ready()
            words = await said
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            await process.wait()
        if any(broken in words for broken in _BROKEN):
            await asyncio.to_thread(self._begin_anew, folder)
            raise ServiceFailed("Changes were lost before they could be followed, so a new backup is taken.")
        raise _explained(words, self._vault.folder)

    def _begin_anew(self, folder: Path) -> None:
        """Drop the slot; what was followed stays good for the backups it belongs to, under its line's name."""
        with contextlib.suppress(ServiceFailed):
            self._slot("--drop-slot")
        new_line(self._state)
        if not any(folder.iterdir()):
            shutil.rmtree(folder)

    def _slot(self, *what: str) -> None:
        argv = [command("pg_receivewal"), *whereabouts(self._address), "--slot", SLOT, *what]
        run_program(argv, about=self._vault.folder, env=environment(self._address), timeout_s=_SLOT_TIMEOUT_S)

    async def _mirror(self) -> None:
        while True:
            try:
                await asyncio.to_thread(copy_missing, self._state.path / "files", self._vault.ensure().files)
            except (LocalServiceError, OSError) as failed:
                self._say(f"files could not be copied: {failed}")
            await asyncio.sleep(_FILES_PERIOD_S)


async def _last_words(process: asyncio.subprocess.Process, streaming: asyncio.Event) -> str:
    """Return the last of what it said when it ended; a full pipe would stop it."""
    assert process.stderr is not None
    last: list[str] = []
    async for line in process.stderr:
        if b"starting log streaming" in line:
            streaming.set()
        last = [*last[-20:], line.decode("utf-8", "replace")]
    return "".join(last)


def _explained(words: str, folder: Path) -> LocalServiceError:
    if tells_of_full_disk(words):
        return disk_full(folder)
    return ServiceFailed(f"The database cannot be followed: {telling_line(words)}")
