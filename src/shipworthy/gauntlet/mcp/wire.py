"""JSON-RPC 2.0 in lines over a pipe, as the Model Context Protocol frames it (revision 2025-06-18).

Owns the framing and the protocol's own methods; knows no finding. One message a line; what is no message is
answered with an error, and never ends the server. Requests are answered in the order in which they end.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")  # the newest first
LINE_BYTES_MAX = 1_000_000
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602


class ToolRefused(Exception):
    """The tool cannot do what was asked; the message is for the agent, and says what it could do instead."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool: `schema` is the JSON Schema of its arguments, `run` returns a text."""

    name: str
    description: str
    run: Callable[[Mapping[str, Any]], Awaitable[str]]
    schema: Mapping[str, Any]
    changes_nothing: bool = True


class _Wrong(Exception):
    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


async def serve(
    tools: Sequence[Tool],
    *,
    name: str,
    version: str,
    said: str,
    read: asyncio.StreamReader,
    write: Callable[[bytes], None],
) -> None:
    """Answer until the pipe ends; then what still runs is cancelled."""
    server = _Server({tool.name: tool for tool in tools}, name=name, version=version, said=said, write=write)
    try:
        while line := await _line(read):
            server.take(line)
    finally:
        await server.stop()


async def _line(read: asyncio.StreamReader) -> bytes:
    """Return the next line; of one that is too long, nothing that could be a message. Empty at the end."""
    try:
        return await read.readuntil(b"\n")
    except asyncio.IncompleteReadError as last:
        return last.partial
    except asyncio.LimitOverrunError as long:
        await read.readexactly(long.consumed)
        return b"{\n"


class _Server:
    def __init__(
        self, tools: Mapping[str, Tool], *, name: str, version: str, said: str, write: Callable[[bytes], None]
    ) -> None:
        self._tools, self._write = tools, write
        self._about = {"serverInfo": {"name": name, "version": version}, "instructions": said}
        self._running: dict[Any, asyncio.Task[None]] = {}

    def take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            message = json.loads(line)
        except ValueError:
            self._fail(None, PARSE_ERROR, "not a line of JSON")
            return
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            if not (isinstance(message, dict) and ("result" in message or "error" in message)):
                self._fail(None, INVALID_REQUEST, "not a JSON-RPC request")
            return  # an answer: we asked nothing
        if "id" not in message:
            self._noted(message)
            return
        task = asyncio.create_task(self._answer(message))
        self._running[message["id"]] = task
        task.add_done_callback(lambda _done: self._running.pop(message["id"], None))

    async def stop(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _noted(self, message: dict[str, Any]) -> None:
        if message["method"] == "notifications/cancelled":
            asked = (message.get("params") or {}).get("requestId")
            if task := self._running.get(asked):
                task.cancel()

    async def _answer(self, message: dict[str, Any]) -> None:
        try:
            params = message.get("params") or {}
            if not isinstance(params, dict):
                raise _Wrong(INVALID_PARAMS, "params must be an object")
            result = await self._result(message["method"], params)
        except _Wrong as wrong:
            self._fail(message["id"], wrong.code, str(wrong))
        else:
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "initialize":
            asked = params.get("protocolVersion")
            version = asked if asked in VERSIONS else VERSIONS[0]
            return {"protocolVersion": version, "capabilities": {"tools": {}}, **self._about}
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": [_described(tool) for tool in self._tools.values()]}
        if method == "tools/call":
            return await self._called(params)
        raise _Wrong(NO_METHOD, f"there is no method {method!r}")

    async def _called(self, params: dict[str, Any]) -> dict[str, Any]:
        tool = self._tools.get(str(params.get("name")))
        if tool is None:
            raise _Wrong(INVALID_PARAMS, f"there is no tool {params.get('name')!r}")
        given = params.get("arguments") or {}
        if not isinstance(given, dict):
            raise _Wrong(INVALID_PARAMS, "arguments must be an object")
        known = tool.schema.get("properties", {})
        if unknown := sorted(set(given) - set(known)):
            raise _Wrong(
                INVALID_PARAMS,
                f"{tool.name} takes no {unknown[0]!r}; it takes {', '.join(known) or 'nothing'}",
            )
        if missing := [one for one in tool.schema.get("required", ()) if one not in given]:
            raise _Wrong(INVALID_PARAMS, f"{tool.name} wants {missing[0]!r}")
        try:
            return _text(await tool.run(given))
        except ToolRefused as refused:
            return {**_text(str(refused)), "isError": True}

    def _fail(self, id_: Any, code: int, message: str) -> None:
        self._send({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}})

    def _send(self, message: dict[str, Any]) -> None:
        self._write(json.dumps(message).encode() + b"\n")


def _described(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": dict(tool.schema),
        "annotations": {"readOnlyHint": tool.changes_nothing, "openWorldHint": False},
    }


def _text(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}
