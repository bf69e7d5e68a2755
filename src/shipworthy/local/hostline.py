"""How commands speak to a background process of ours: JSON lines on a loopback port, behind a token.

Owns: the file that says where it listens (private to the user, gone with it), and that work which was
asked for ends when whoever asked is gone before it is done. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shipworthy.local.errors import LocalServiceError, ServiceFailed, file_errors_explained
from shipworthy.local.ports import LOOPBACK

_LINE_BYTES_MAX = 4 * 1024 * 1024  # an environment travels along
_FIRST_LINE_TIMEOUT_S = 10.0
_LAST_WORD_S = 2.0  # at our end, for what is done to be told

Say = Callable[[str], None]
Answer = Callable[[dict[str, Any], Say], Awaitable[dict[str, Any]]]


class NobodyAnswers(LocalServiceError):
    """Nothing listens there (any more); nothing of what was asked was begun."""

    code = "local.nobody_answers"


@asynccontextmanager
async def answering(place: Path, answer: Answer) -> AsyncIterator[None]:
    """Answer who reads `place` until the block ends; then what is still being answered is cancelled.

    `answer` gets what was asked and a way to tell progress; its LocalServiceError reaches the asker.
    """
    token, connections, is_over = secrets.token_urlsafe(24), set[asyncio.Task[None]](), False
    works: set[asyncio.Future[dict[str, Any]]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if is_over:  # accepted a moment before the end: not begun, so that another can be asked
            writer.close()
            return
        connections.add(task)
        try:
            with contextlib.suppress(OSError, ValueError, TimeoutError):
                asked = await _asked(reader, token)
                if asked is not None and not is_over:
                    await _answer_one(reader, writer, answer, asked, works)
        finally:
            writer.close()
            connections.discard(task)

    server = await asyncio.start_server(connected, LOOPBACK, 0, limit=_LINE_BYTES_MAX)
    port: int = server.sockets[0].getsockname()[1]
    try:
        _write_private(place, json.dumps({"port": port, "token": token, "pid": os.getpid()}))
        yield
    finally:
        is_over = True
        _forget(place)
        server.close()
        for work in works:  # one that is done is still told
            work.cancel()
        if connections:
            _, late = await asyncio.wait(connections, timeout=_LAST_WORD_S)
            for task in late:
                task.cancel()


async def ask(place: Path, asked: dict[str, Any], *, say: Say = lambda _sentence: None) -> dict[str, Any]:
    """Have one thing done and return the answer; to be cancelled is to take the wish back.

    Errors:  NobodyAnswers; ServiceFailed when the other end dies; LocalServiceError with its refusal.
    """
    try:
        known = _read(place)
        reader, writer = await asyncio.open_connection(LOOPBACK, known["port"], limit=_LINE_BYTES_MAX)
    except (OSError, ValueError, KeyError) as gone:
        raise NobodyAnswers(f"Nothing answers at {place}.") from gone
    try:
        writer.write(json.dumps({"token": known["token"], "asked": asked}).encode() + b"\n")
        await writer.drain()
        is_begun = False
        while line := await reader.readline():
            said = json.loads(line)
            is_begun = True
            if "error" in said:
                raise LocalServiceError(said["error"])
            if "done" in said:
                done: dict[str, Any] = said["done"]
                return done
            if sentence := said["said"]:
                say(sentence)
    except OSError:
        is_begun = False
    finally:
        writer.close()
    if is_begun:
        raise ServiceFailed(f"Process {known['pid']}, which was at it, ended.")
    raise NobodyAnswers(f"Nothing answers at {place}.")


async def _asked(reader: asyncio.StreamReader, token: str) -> dict[str, Any] | None:
    """Return what is asked by whoever knows the token."""
    line = json.loads(await asyncio.wait_for(reader.readline(), _FIRST_LINE_TIMEOUT_S))
    known = hmac.compare_digest(str(line["token"]), token)
    asked: dict[str, Any] | None = line["asked"] if known else None
    return asked


async def _answer_one(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Answer,
    asked: dict[str, Any],
    works: set[asyncio.Future[dict[str, Any]]],
) -> None:
    _write(writer, said="")  # begun: whoever asked need not look for another process to ask
    work = asyncio.ensure_future(answer(asked, lambda sentence: _write(writer, said=sentence)))
    works.add(work)
    gone = asyncio.ensure_future(reader.read())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)
        works.discard(work)
    if work.cancelled():  # taken back, or we are at our end
        return
    try:
        _write(writer, done=work.result())
    except LocalServiceError as refused:
        _write(writer, error=refused.message)
    await writer.drain()


def _write(writer: asyncio.StreamWriter, **facts: Any) -> None:
    with contextlib.suppress(OSError):
        writer.write(json.dumps(facts).encode() + b"\n")


def _read(place: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return known


def _forget(place: Path) -> None:
    place.unlink(missing_ok=True)


def _write_private(place: Path, text: str) -> None:
    """Whole, then renamed: nobody reads half of it. It holds the token."""
    draft = place.with_suffix(".new")
    with file_errors_explained(place.parent):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(place)
