"""External tools: found, put to the proof, asked. None is believed before it has found a planted defect.

Several scanners were seen to exit 0 having checked nothing (D16), so each declares files with a defect
it must find and files in which it must find none. An absent or a blind tool reads NOT MEASURED.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
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
    found; `sound` are files in which there is nothing to find. `settings` are files in which an app may
    tell the tool what not to look at: they lie beside the planted, so that a tool told to be silent
    counts as a blind one.
    """

    name: str
    install: str
    scan: Callable[[str, Path], Awaitable[list[Hit]]]
    planted: Callable[[], Mapping[str, str]]
    sound: Mapping[str, str]
    settings: tuple[str, ...] = ()


async def hits(tool: Tool, folder: Path, *, beside: Sequence[Path] = ()) -> list[Hit]:
    """Return what a tool finds in a folder, after it has proved itself. The app's own, in `beside`, is preferred.

    Errors:  Unmeasurable when it is absent, crashes, is blind, or cries wolf.
    """
    program = program_of(tool, beside=beside)
    with tempfile.TemporaryDirectory(prefix="shipworthy-planted-") as scratch:
        await _prove(tool, program, Path(scratch), folder)
    return await tool.scan(program, folder)


def program_of(tool: Tool, *, beside: Sequence[Path] = ()) -> str:
    """Return the program: in one of the folders, beside this interpreter, or on the path. Errors: Unmeasurable."""
    return named_program(tool.name, install=tool.install, beside=beside)


def named_program(name: str, *, install: str, beside: Sequence[Path] = ()) -> str:
    """Return a program by its name, as `program_of`. Errors: Unmeasurable, with how to install it."""
    for folder in (*beside, Path(sys.executable).parent):
        if (folder / name).is_file():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise Unmeasurable(f"{name} is not installed.", fix=install)
    return found


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program ended, and what it said on its two ways out."""

    status: int
    out: str
    err: str

    @property
    def last_words(self) -> str:
        return clipped((self.err or self.out).strip(), 300)


async def output_of(
    program: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    ok: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Run a tool and return what it says. Errors: Unmeasurable when it fails or takes too long."""
    ended = await ran(program, arguments, cwd=cwd, env=env, timeout_s=timeout_s)
    if ended.status not in ok:
        raise Unmeasurable(f"{Path(program).name} ended with exit status {ended.status}: {ended.last_words}")
    return ended.out


async def ran(
    program: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Ended:
    """Run a program to its end. Errors: Unmeasurable when it does not start or takes too long."""
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
            start_new_session=True,  # what it started in its turn ends with it
        )
    except (OSError, ValueError) as failed:
        raise Unmeasurable(f"{name} could not be started: {failed}.") from failed
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout_s)
    except BaseException as ended:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if isinstance(ended, TimeoutError):
            raise Unmeasurable(f"{name} took longer than {timeout_s:g} s and was stopped.") from ended
        raise
    return Ended(
        status=process.returncode or 0, out=out.decode("utf-8", "replace"), err=err.decode("utf-8", "replace")
    )


async def _prove(tool: Tool, program: str, scratch: Path, folder: Path) -> None:
    planted, sound = scratch / "planted", scratch / "sound"
    files = tool.planted()
    _write(planted, files)
    lay_settings(tool.settings, folder, planted)
    _write(sound, tool.sound)
    found = {hit.path for hit in await tool.scan(program, planted)}
    if missed := sorted(set(files) - found):
        raise Unmeasurable(
            f"{tool.name} did not find the defect planted for it ({missed[0]}), so its silence would mean nothing.",
            fix=f"Let the app's own settings not silence it, or install it anew. {tool.install}"
            if tool.settings
            else tool.install,
        )
    if false := await tool.scan(program, sound):
        raise Unmeasurable(
            f"{tool.name} finds {false[0].rule!r} where nothing is, so what it finds would mean nothing.",
            fix=tool.install,
        )


def lay_settings(names: Sequence[str], folder: Path, beside: Path) -> None:
    """Lay an app's settings for a tool beside what is planted; a folder of packages as a link."""
    for name in names:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, beside / name)
        elif (folder / name).is_dir():
            (beside / name).symlink_to(folder / name, target_is_directory=True)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
