"""A version with a defect: the app's own web process, behind one that spoils what it answers.

    python -m shipworthy.gauntlet.planted_version slow 900 PYTHON -m shipworthy serve --port 8001

It takes the port and starts the app on another. Whoever examines whether a bad version is taken back
needs one that is bad for certain, whatever the app is.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Literal

from shipworthy.gauntlet.adapters.command import free_port

Defect = Literal["errors", "slow", "dies"]
FAILED_EVERY = 3  # of the answers of "errors"
LAST_WORDS = "a planted defect: this version cannot serve"
_LOOPBACK = "127.0.0.1"
_HEALTH = b" /-/"  # whether it is up is answered as the app does: a version that never comes up is "dies"
_BACKLOG = 512
_HEAD_BYTES_MAX = 256 * 1024
_FAILURE = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def written(folder: Path, defect: Defect, *, python: str, delay_ms: float) -> Path:
    """Write a program that can be given as a version's Python, and is spoilt where it serves; return its path."""
    spoilt = [sys.executable, "-m", __name__, defect, f"{delay_ms:g}", python]
    path = folder / f"python-{defect}"
    path.write_text(
        "#!/bin/sh\n"
        f'for word in "$@"; do [ "$word" = serve ] && exec {" ".join(map(_quoted, spoilt))} "$@"; done\n'
        f'exec {_quoted(python)} "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


class Spoiled:
    """One web process, spoilt."""

    def __init__(self, defect: Defect, *, delay_s: float, inner_port: int) -> None:
        self._defect, self._delay_s, self._inner_port = defect, delay_s, inner_port
        self._answered = 0

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of a connection, and close it."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if _HEALTH not in head.partition(b"\r\n")[0]:
                self._answered += 1
                if self._defect == "errors" and self._answered % FAILED_EVERY == 0:
                    await reader.read(
                        _length(head)
                    )  # a connection with unread bytes is reset, and the answer lost
                    writer.write(_FAILURE)
                    return
                if self._defect == "slow":
                    await asyncio.sleep(self._delay_s)
            await self._pass_on(head, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, to_app = await asyncio.open_connection(_LOOPBACK, self._inner_port)
        to_app.write(_closing(head))
        asking = asyncio.create_task(_copy(reader, to_app))
        try:
            await _copy(inner, writer)
        finally:
            asking.cancel()
            to_app.close()


async def serve(defect: Defect, delay_ms: float, command: list[str]) -> int:
    """Start the app's command on another port, and stand before it until SIGTERM; return its exit status."""
    if defect == "dies":
        sys.stderr.write(f"{LAST_WORDS}\n")
        return 3
    place = command.index("--port") + 1
    port, inner_port = int(command[place]), free_port()
    app = await asyncio.create_subprocess_exec(*command[:place], str(inner_port), *command[place + 1 :])
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, app)
    spoiled = Spoiled(defect, delay_s=delay_ms / 1000, inner_port=inner_port)
    server = await asyncio.start_server(
        spoiled.visit, _LOOPBACK, port, limit=_HEAD_BYTES_MAX, backlog=_BACKLOG
    )
    async with server:
        return await app.wait()


def _end(app: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        app.terminate()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            to.write(data)
            await to.drain()


def _closing(head: bytes) -> bytes:
    """Return a request's head that asks for the connection to be closed after the answer."""
    first, *lines = head[:-4].split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([first, *kept, b"Connection: close", b"", b""])


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


if __name__ == "__main__":
    _, wanted, told_ms, *rest = sys.argv
    sys.exit(asyncio.run(serve(wanted, float(told_ms), rest)))  # type: ignore[arg-type]
