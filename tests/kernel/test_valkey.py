"""A Valkey that is not there, or says nothing, is known to be away, and who asks is not left waiting."""

from __future__ import annotations

import asyncio

import pytest

from shipworthy.kernel.valkey import AWAY, valkey_at
from shipworthy.local.ports import free_port


async def test_nothing_is_connected_before_a_question_and_a_refusal_is_known() -> None:
    client = valkey_at(f"valkey://127.0.0.1:{free_port()}", timeout_s=1.0)
    with pytest.raises(AWAY):
        await client.get("anything")
    await client.aclose()


async def test_one_that_says_nothing_is_away() -> None:
    held = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = valkey_at(f"valkey://127.0.0.1:{port}", timeout_s=0.1)
    async with asyncio.timeout(10):
        with pytest.raises(AWAY):
            await client.get("anything")
    await client.aclose()
    held.set()
    server.close()
