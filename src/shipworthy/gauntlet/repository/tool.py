"""External tools: found, put to the proof, asked. None is believed before it has found a planted defect.

Several scanners were seen to exit 0 having checked nothing (D16), so each declares files with a defect
it must find and files in which it must find none. An absent or a blind tool reads NOT MEASURED.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.evidence import clipped

TIMEOUT_S = 90.0


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing a tool found. `path` is relative to the folder it looked at; `line` counts from 1."""

    path: str
    line: int
    rule: str
    message: str
    text: str = ""

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program: how to ask it, and what it has to find to be believed.

    `scan` gets the program and a folder; `planted` makes files with a defect, each of which must be
    found; `sound` are files in which there is nothing to find.
    """

    name: str
    install: str
    scan: Callable[[str, Path], Awaitable[list[Hit]]]
    planted: Callable[[], Mapping[str, str]]
    sound: Mapping[str, str]


async def hits(tool: Tool, folder: Path) -> list[Hit]:
    """Return what a tool finds in a folder, after it has proved itself.

    Errors:  Unmeasurable when it is absent, crashes, is blind, or cries wolf.
    """
    program = program_of(tool)
    with tempfile.TemporaryDirectory(prefix="shipworthy-planted-") as scratch:
        await _prove(tool, program, Path(scratch))
    return await tool.scan(program, folder)


def program_of(tool: Tool) -> str:
    """Return the program: beside this interpreter, else on the path. Errors: Unmeasurable."""
    beside = Path(sys.executable).parent / tool.name
    found = str(beside) if beside.is_file() else shutil.which(tool.name)
    if found is None:
        raise Unmeasurable(f"{tool.name} is not installed.", fix=tool.install)
    return found


async def output_of(
    program: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    ok: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a tool and return what it says. Errors: Unmeasurable when it fails or takes too long."""
    name = Path(program).name
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as failed:
        raise Unmeasurable(f"{name} could not be started: {failed.strerror}.") from failed
    try:
        out, said = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except BaseException as ended:
        process.kill()
        await process.wait()
        if isinstance(ended, TimeoutError):
            raise Unmeasurable(f"{name} took longer than {TIMEOUT_S:g} s and was stopped.") from ended
        raise
    if process.returncode not in ok:
        last = clipped((said or out).decode("utf-8", "replace").strip(), 300)
        raise Unmeasurable(f"{name} ended with exit status {process.returncode}: {last}")
    return out.decode("utf-8", "replace")


async def _prove(tool: Tool, program: str, scratch: Path) -> None:
    planted, sound = scratch / "planted", scratch / "sound"
    files = tool.planted()
    _write(planted, files)
    _write(sound, tool.sound)
    found = {hit.path for hit in await tool.scan(program, planted)}
    if missed := sorted(set(files) - found):
        raise Unmeasurable(
            f"{tool.name} did not find the defect planted for it ({missed[0]}), so its silence would mean nothing.",
            fix=tool.install,
        )
    if false := await tool.scan(program, sound):
        raise Unmeasurable(
            f"{tool.name} finds {false[0].rule!r} where nothing is, so what it finds would mean nothing.",
            fix=tool.install,
        )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
