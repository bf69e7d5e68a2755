"""Schemathesis, asked about a document and an address; believed only after two small servers of the examiner's.

Of the one that lies it must say so, of the one that keeps its word nothing. Both are on the loopback interface,
for as long as the proof takes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.repository.tool import named_program, ran

# What is a broken promise whatever the app. The others need more than a document to judge.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
_INSTALL = "Install it: pip install schemathesis."
_PROOF_TIMEOUT_S = 60.0
_BODY_BYTES_MAX = 1_000_000
_ID = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
_COUNT = {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer"}}}
_NAME_CHARS_MAX = 5
_NAME = {"type": "string", "maxLength": _NAME_CHARS_MAX}
_THING = {"type": "object", "required": ["name"], "properties": {"name": _NAME}}
_REFUSED = {"4XX": {"description": "Refused"}}
_DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "planted", "version": "1"},
    "paths": {
        "/count": {
            "get": {"responses": {
                "200": {"description": "Done", "content": {"application/json": {"schema": _COUNT}}}, **_REFUSED}}
        },
        "/things": {
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": _THING}}},
                "responses": {
                    "201": {"description": "Done", "content": {"application/json": {"schema": _ID}}}, **_REFUSED},
            }
        },
    },
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation as Schemathesis saw it: `said` is what it holds against it, empty where nothing."""

    name: str
    said: str = ""


def schemathesis() -> str:
    """Return the program. Errors: Unmeasurable when it is not installed."""
    return named_program("schemathesis", install=_INSTALL)


async def proven(program: str, scratch: Path) -> None:
    """Have it asked about the liar and about the honest one. Errors: Unmeasurable when it cannot tell them apart."""
    lies = await _of_planted(program, scratch / "liar", lies=True)
    if len([one for one in lies if one.said]) < len(_DOCUMENT["paths"]):
        raise Unmeasurable(
            "Schemathesis did not find the lies planted for it, so its silence would mean nothing.",
            fix=_INSTALL,
        )
    honest = await _of_planted(program, scratch / "honest", lies=False)
    if wrong := [one for one in honest if one.said]:
        raise Unmeasurable(
            f"Schemathesis holds something against {wrong[0].name}, which keeps its word.", fix=_INSTALL
        )


async def _of_planted(program: str, scratch: Path, *, lies: bool) -> list[Operation]:
    async with _served(lies=lies) as base_url:
        return await asked(
            program,
            _DOCUMENT,
            base_url,
            {"X-Planted": "yes"},
            scratch,
            examples=3,
            timeout_s=_PROOF_TIMEOUT_S,
        )


@asynccontextmanager
async def _served(*, lies: bool) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")),
                0,
            )
            body = await reader.readexactly(min(length, _BODY_BYTES_MAX))
            status, said = _lie(head) if lies else _word_kept(head, body)
            text = json.dumps(said).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n"
                "connection: close\r\n\r\n".encode()
                + text
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # a request that is none: who asks sees that nothing came
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _lie(head: str) -> tuple[int, Any]:
    return (200, {"count": "one"}) if head.startswith("GET") else (500, {})


def _word_kept(head: str, body: bytes) -> tuple[int, Any]:
    if head.startswith("GET"):
        return 200, {"count": 1}
    try:
        name = json.loads(body)["name"]
    except (ValueError, KeyError, TypeError):
        return 422, {}
    is_good = isinstance(name, str) and len(name) <= _NAME_CHARS_MAX
    return (201, {"id": "a"}) if is_good else (422, {})


async def asked(
    program: str, document: dict[str, Any], base_url: str, headers: dict[str, str], scratch: Path, *,
    examples: int, timeout_s: float,
) -> list[Operation]:  # fmt: skip
    """Ask about every operation of a document; `scratch` is a folder that is made for it.

    Units:   `examples` of each operation, besides the values at its bounds; `timeout_s` seconds for all.
    Errors:  Unmeasurable when it fails or takes too long.
    """
    _write_down(document, headers, scratch)
    # By the environment: a session's cookie on a command line could be read by everybody on this machine.
    env = {_variable(number): value for number, value in enumerate(headers.values())}
    arguments = [
        "--no-color", "run", "openapi.json", "--url", base_url, "--checks", ",".join(CHECKS), "--mode", "all",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--generation-deterministic", "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all",
        "--warnings", "off", "--max-redirects", "0", "--request-timeout", "10",
        "--report", "junit", "--report-junit-path", "junit.xml",
    ]  # fmt: skip
    ended = await ran(program, arguments, cwd=scratch, env={**os.environ, **env}, timeout_s=timeout_s)
    report = scratch / "junit.xml"
    if ended.status not in (0, 1) or not report.is_file():
        raise Unmeasurable(f"Schemathesis ended with exit status {ended.status}: {ended.last_words}")
    return _read(report)


def _write_down(document: dict[str, Any], headers: dict[str, str], scratch: Path) -> None:
    scratch.mkdir(parents=True)
    (scratch / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    lines = [f'"{name}" = "${{{_variable(number)}}}"' for number, name in enumerate(headers)]
    (scratch / "schemathesis.toml").write_text("[headers]\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _variable(number: int) -> str:
    return f"SHIPWORTHY_HEADER_{number}"


def _read(report: Path) -> list[Operation]:
    found = []
    # Written a moment ago by the Schemathesis we started, for us.
    for node in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314
        if node.find("skipped") is not None:
            continue
        said = [
            (wrong.text or wrong.get("message") or "")
            for kind in ("failure", "error")
            for wrong in node.iter(kind)
        ]
        found.append(Operation(name=node.get("name") or "", said="\n\n".join(said)))
    return found
