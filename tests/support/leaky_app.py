"""A web server of a few lines that keeps what it should not: `python -m tests.support.leaky_app PORT HABIT…`.

"keeps_requests" holds three kilobytes for each request, "keeps_addresses" six for each address it has
not seen before. Its child does nothing but be there.
"""

from __future__ import annotations

import asyncio
import sys

KEPT_BYTES = 3_000
_ANSWER = b"HTTP/1.1 %s\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nok"


class _Server:
    def __init__(self, habits: set[str]) -> None:
        self.habits = habits
        self.kept: list[bytearray] = []
        self.addresses: dict[bytes, bytearray] = {}

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(_ANSWER % self.answer(head.split(b" ", 2)[1]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def answer(self, address: bytes) -> bytes:
        if "keeps_requests" in self.habits:
            self.kept.append(bytearray(KEPT_BYTES))
        if "keeps_addresses" in self.habits and address not in self.addresses:
            self.addresses[address] = bytearray(KEPT_BYTES * 2)
        return b"200 OK" if address == b"/" else b"404 Not Found"


async def serve(port: int, habits: set[str]) -> None:
    code = "import sys; x = bytearray(30_000_000); sys.stdin.read()"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE)
    try:
        server = await asyncio.start_server(_Server(habits), "127.0.0.1", port)
        await server.serve_forever()
    finally:
        child.kill()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), set(sys.argv[2:])))
