"""A copy of an app that may be broken: its files, a database of its own with example data, running as `up` runs it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from shipworthy.cli.handles import Running
from shipworthy.cli.project import STATE_FOLDER
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.idp.beside import welcome, with_provider
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.local.checkout import HERE, check_out
from shipworthy.local.errors import ServiceFailed
from shipworthy.local.lifeline import Lifeline
from shipworthy.local.ports import free_port

_START_TIMEOUT_S = 300.0
_STOP_TIMEOUT_S = 60.0


class ScratchApp:
    """The copy in `folder`. Start it, restart it with other settings, stop it."""

    def __init__(self, folder: Path, told: Mapping[str, str], provider: Stub | None) -> None:
        self.provider = provider  # people can sign in through it
        self.home, self.work = folder / "app", folder / "work"
        self.handle_file = folder / "handle.json"
        self.log = folder / "up.log"
        self.port, self._receiver_port = free_port(), free_port()
        self._receiver: asyncio.Server | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.subprocess.Process | None = None
        self._more = dict(told)
        self._lives: dict[int, Lifeline] = {}

    @property
    def state(self) -> Path:
        return self.home / STATE_FOLDER

    @property
    def receiver(self) -> str:
        """The address of a webhook's receiver, where nobody is until `receiver_answers`."""
        return f"http://127.0.0.1:{self._receiver_port}/alerts"

    @property
    def handle(self) -> Handle:
        return Running(self.handle_file).handle

    async def start(self) -> None:
        """Errors: ServiceFailed with the last words of `up`."""
        self.handle_file.unlink(missing_ok=True)
        with self.log.open("wb") as out:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "shipworthy", "up", "--port", str(self.port), "--handle", str(self.handle_file),
                cwd=self.home, env=outside() | self._more, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        self._lives[self._process.pid] = Lifeline(
            self._process.pid, how=signal.SIGTERM
        )  # it ends when we are killed
        ended = asyncio.ensure_future(self._process.wait())
        deadline = asyncio.get_running_loop().time() + _START_TIMEOUT_S
        while not self.handle_file.exists():
            if ended.done() or asyncio.get_running_loop().time() > deadline:
                words = self.log.read_text(encoding="utf-8", errors="replace").strip()[-800:]
                raise ServiceFailed(f"The copy of the app did not come up: {words}")
            await asyncio.wait([ended], timeout=0.05)

    async def stop(self) -> None:
        await self._end(self._watch)
        await self._end(self._process)
        self._watch = self._process = None
        if self._receiver is not None:
            self._receiver.close()

    async def restart(self, changes: Mapping[str, str]) -> None:
        """Stop it, change its environment (of `signing_key`: its secret, read from the file named), start it again."""
        await self._end(self._process)
        for name, value in changes.items():
            if name == "signing_key":
                file = self.state / "secrets.json"
                known = json.loads(file.read_text(encoding="utf-8"))
                known[name] = (self.work / value).read_text(encoding="utf-8").strip()
                file.write_text(json.dumps(known), encoding="utf-8")
            else:
                self._more[name] = value
        await self.start()

    async def watch(self, more: Mapping[str, str]) -> None:
        """Have the objectives watched from now on, with an empty memory and more environment."""
        await self._end(self._watch)
        folder = self.state / "objectives"
        shutil.rmtree(folder, ignore_errors=True)
        self._watch = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "shipworthy", "slo", "watch", "--metrics", f"{self.handle.base_url}/-/metrics",
            cwd=self.home, env=outside() | self._more | dict(more), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._lives[self._watch.pid] = Lifeline(self._watch.pid, how=signal.SIGTERM)
        ended = asyncio.ensure_future(self._watch.wait())
        while not (folder / "alerts.json").exists():  # once it has looked, it counts from there
            await asyncio.wait([ended], timeout=0.05)
            if ended.done():
                raise ServiceFailed("`shipworthy slo watch` ended before it looked once.")

    async def watch_no_more(self) -> None:
        """End the watch: what it thinks of alerts is nothing to the next page."""
        await self._end(self._watch)
        self._watch = None

    async def receiver_answers(self) -> None:
        """From now on whatever is posted to `receiver` is taken."""
        self._receiver = await asyncio.start_server(_taken, "127.0.0.1", self._receiver_port)

    async def _end(self, process: asyncio.subprocess.Process | None) -> None:
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if life := self._lives.pop(process.pid, None):
            life.release()


@asynccontextmanager
async def scratch_app(home: Path, manifest: Manifest) -> AsyncIterator[ScratchApp]:
    """Run a copy of the app in `home` until the block ends, beside a sign-in provider; nothing of it is left."""
    target = Target(name="copy", kind="shipworthy", manifest=manifest, start=("up",))
    folder = await asyncio.to_thread(_open_folder)
    try:
        await asyncio.to_thread(partial(check_out, home, HERE, into=folder / "app"))
        async with with_provider(target) as (told, provider):
            app = ScratchApp(folder, told.env, provider)
            app.work.mkdir()
            _command_in(app.work / "bin")
            try:
                await app.start()
                welcome(target, provider, app.handle)
                yield app
            finally:
                await app.stop()
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)


async def _taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="shipworthy-drill-"))
    folder.chmod(0o755)  # its database runs as another user where we are root
    return folder


def outside() -> dict[str, str]:
    """Our own environment without what says which installation is meant: the copy is one of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SHIPWORTHY_")}


def words() -> dict[str, str]:
    """Return words that no drill used before."""
    mark = secrets.token_hex(4)
    return {"MARK": f"rb{mark}", "ONCE": f"runbook-{secrets.token_hex(8)}"}


def _command_in(folder: Path) -> None:
    """`shipworthy` as a step calls it is the one that runs the drill, installed or not."""
    folder.mkdir()
    (folder / "shipworthy").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m shipworthy "$@"\n')
    (folder / "shipworthy").chmod(0o755)
