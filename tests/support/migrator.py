"""A small tool of somebody else's that brings a schema forward: SQL pairs in a folder, run by `python -m`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import asyncpg


async def main(direction: str, steps: int, texts: dict[str, str]) -> None:
    """Apply everything that is pending, or take the newest steps back; fail where none is left."""
    connection = await asyncpg.connect(os.environ["MIGRATOR_DATABASE"])
    try:
        if seconds := os.environ.get("MIGRATOR_LOCK_TIMEOUT_S"):
            await connection.execute(f"set lock_timeout = '{seconds}s'")
        await connection.execute(
            "create table if not exists applied (name text primary key, at timestamptz not null default clock_timestamp())"
        )
        done = {row[0] for row in await connection.fetch("select name from applied")}
        names = sorted(name.removesuffix(".up.sql") for name in texts if name.endswith(".up.sql"))
        if direction == "up":
            for name in (name for name in names if name not in done):
                await connection.execute(texts[f"{name}.up.sql"])
                await connection.execute("insert into applied (name) values ($1)", name)
            return
        for name in [name for name in reversed(names) if name in done][:steps]:
            await connection.execute(texts[f"{name}.down.sql"])
            await connection.execute("delete from applied where name = $1", name)
    finally:
        await connection.close()


if __name__ == "__main__":
    found = {path.name: path.read_text() for path in Path.cwd().glob("*.sql")}
    asyncio.run(main(sys.argv[1], int((sys.argv[2:] or ["1"])[0]), found))
