"""What comes over the pipe is answered, whatever it is; what is long runs beside what is short."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from shipworthy.gauntlet.mcp.wire import LINE_BYTES_MAX, NO_METHOD, Tool, ToolRefused, serve

HELD = asyncio.Event


async def talk(*lines: bytes, held: asyncio.Event | None = None) -> list[dict[str, Any]]:
    """Return the answers to some lines, in the order in which they came."""
    stopped: list[str] = []

    async def say(given: Mapping[str, Any]) -> str:
        if given["text"] == "no":
            raise ToolRefused("say yes")
        return str(given["text"])

    async def wait(_given: Mapping[str, Any]) -> str:
        try:
            await (held or asyncio.Event()).wait()
        except asyncio.CancelledError:
            stopped.append("wait")
            raise
        return "waited"

    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    tools = [
        Tool(name="say", description="Says.", run=say, schema=schema),
        Tool(name="wait", description="Waits.", run=wait, schema={"type": "object", "properties": {}}),
    ]
    reader, answers = asyncio.StreamReader(limit=LINE_BYTES_MAX), []
    for line in lines:
        reader.feed_data(line + b"\n")
    served = asyncio.create_task(
        serve(
            tools,
            name="s",
            version="1",
            said="hello",
            read=reader,
            write=lambda b: answers.append(json.loads(b)),
        )
    )
    for _ in range(20):
        await asyncio.sleep(0)
    reader.feed_eof()
    await served
    assert len(stopped) <= 1
    return answers


def call(id_: Any, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()


async def test_it_says_who_it_is_what_it_has_and_does_it() -> None:
    hello, tools, said = await talk(
        call(1, "initialize", protocolVersion="2025-03-26"),
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        call(2, "tools/list"),
        call("c", "tools/call", name="say", arguments={"text": "yes"}),
    )
    assert hello["result"]["protocolVersion"] == "2025-03-26"
    assert hello["result"]["capabilities"] == {"tools": {}}
    assert [tool["name"] for tool in tools["result"]["tools"]] == ["say", "wait"]
    assert said == {"jsonrpc": "2.0", "id": "c", "result": {"content": [{"type": "text", "text": "yes"}]}}


async def test_a_version_nobody_knows_is_offered_the_newest() -> None:
    [hello] = await talk(call(1, "initialize", protocolVersion="1999-01-01"))
    assert hello["result"]["protocolVersion"] == "2025-06-18"


async def test_what_a_tool_refuses_is_told_to_the_agent() -> None:
    [refused] = await talk(call(1, "tools/call", name="say", arguments={"text": "no"}))
    assert refused["result"]["isError"]
    assert refused["result"]["content"][0]["text"] == "say yes"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b'{"id": 1}', -32600),
        (call(1, "resources/list"), NO_METHOD),
        (call(1, "tools/call", name="rm"), -32602),
        (call(1, "tools/call", name="say"), -32602),
        (call(1, "tools/call", name="say", arguments={"text": "x", "path": "/etc/passwd"}), -32602),
        (call(1, "tools/call", name="say", arguments=[]), -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32602),
        (b'"' + b"x" * (2 * LINE_BYTES_MAX) + b'"', -32700),
    ],
)
async def test_what_cannot_be_answered_is_an_error_and_the_next_is_answered(line: bytes, code: int) -> None:
    answers = await talk(line, call(9, "ping"))
    assert {"jsonrpc": "2.0", "id": 9, "result": {}} in answers
    assert code in [answer["error"]["code"] for answer in answers if "error" in answer]


async def test_what_waits_keeps_nobody_waiting_and_ends_when_it_is_told_or_the_pipe_does() -> None:
    cancel = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'
    for lines in (
        (call(1, "tools/call", name="wait"), call(2, "ping")),
        (call(1, "tools/call", name="wait"), call(2, "ping"), cancel),
    ):
        assert [answer["id"] for answer in await talk(*lines)] == [2]
