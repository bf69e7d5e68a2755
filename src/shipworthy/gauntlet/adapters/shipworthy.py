"""Our own apps, examined from outside: described and started by their command, never imported.

`describe --json` gives the manifest; `up --handle FILE` runs an instance in a state directory
of its own, with seeded tenants, and rewrites the handle whenever it restarts a process.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shipworthy.contract.manifest import MANIFEST_VERSION, Manifest
from shipworthy.contract.strict import Undecodable, decode
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import Program, StartFailed, start_program
from shipworthy.gauntlet.evidence import tail

COMMAND = (sys.executable, "-m", "shipworthy")
STATE = "state"  # its state directory, in the scratch directory
DESCRIBE_TIMEOUT_S = 60.0
# A cold start makes a database cluster, migrates and fills tables; on two busy cores that is a minute.
START_TIMEOUT_S = 300.0


async def describe(folder: Path, *, command: Sequence[str] = COMMAND) -> Target:
    """Return the target for the app in `folder`, with the manifest its own command prints.

    Errors:  StartFailed with what the command said; Undecodable when its manifest does not fit.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        "describe",
        "--json",
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), DESCRIBE_TIMEOUT_S)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        said = err.decode("utf-8", "replace").strip() or "nothing"
        raise StartFailed(f"The app in {folder} could not be described. It said: {said}")
    manifest = _manifest(out.decode("utf-8", "replace"))
    return Target(
        name=manifest.app,
        kind="shipworthy",
        manifest=manifest,
        start=tuple(command),
        start_timeout_s=START_TIMEOUT_S,
        workdir=str(folder),
        folder=str(folder),
    )


def _manifest(text: str) -> Manifest:
    try:
        data: Any = json.loads(text)
    except ValueError as broken:
        raise Undecodable(f"not valid JSON: {broken}", path="", source="the manifest") from broken
    version = data.get("version", MANIFEST_VERSION) if isinstance(data, dict) else None
    if version != MANIFEST_VERSION:
        message = f"the manifest is of version {version!r}; this examiner reads {MANIFEST_VERSION}"
        raise Undecodable(message, path="version", source="the manifest")
    return decode(Manifest, data, source="the manifest", text=text)


class UpInstance:
    """An instance that `up` runs. Its handle is read again whenever it was rewritten."""

    def __init__(self, program: Program, path: Path) -> None:
        self._program, self._path = program, path
        self._handle, self._stamp = _read(path), _stamp(path)

    @property
    def handle(self) -> Handle:
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._handle, self._stamp = _read(self._path), stamp
        return self._handle

    def died(self) -> str:
        return self._program.died()


@asynccontextmanager
async def started_by_up(
    target: Target, scratch: Path, *, seed: str = "volume", flags: Sequence[str] = ()
) -> AsyncIterator[UpInstance]:
    """Run `up` with example data (at volume, unless `seed` says less) until the block ends.

    Errors:  StartFailed with the last words of the command.
    """
    assert target.start is not None
    handle_file = scratch / "handle.json"
    arguments = [
        "--handle",
        str(handle_file),
        "--seed",
        seed,
        "--port",
        "0",
        "--state",
        str(scratch / STATE),
        *flags,
    ]
    program = await start_program(
        [*target.start, "up", *arguments], cwd=target.workdir, env=target.env, log=scratch / "up.log"
    )
    pid: int | None = None
    try:

        async def is_written() -> bool:
            return handle_file.exists()

        await program.wait_for("A running instance", is_written, timeout_s=target.start_timeout_s)
        instance = UpInstance(program, handle_file)
        pid = instance.handle.pid
        yield instance
    finally:
        await program.stop(first=pid)


def _read(path: Path) -> Handle:
    text = path.read_text(encoding="utf-8")
    try:
        return decode(Handle, json.loads(text), source=path.name, text=text)
    except ValueError as broken:  # Undecodable is one, too
        raise StartFailed(
            f"The handle of the instance cannot be read: {broken}. {tail(path)[:200]}"
        ) from broken


def _stamp(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_ino
