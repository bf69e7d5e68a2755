"""Databases made from a seeded one: a template that nobody connects to, and its clones.

`strategy file_copy` copies files instead of logging every page: of a small database that is a fraction of
a second. A template takes no connections, so that neither a person nor autovacuum holds a clone up.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shipworthy.kernel.db.tx import connect_admin
from shipworthy.kernel.errors import Busy

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def database_url(admin_url: str, name: str) -> str:
    """Return the administrator's address of another database of the same server."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{_known(name)}"))


async def seal_template(admin_url: str, *, built: str, template: str) -> None:
    """Make the finished database `built` the template of this name; nobody connects to it from now on."""
    async with _server(admin_url) as connection:
        await connection.execute(f'alter database "{_known(built)}" with allow_connections false')
        await connection.execute(f'alter database "{built}" rename to "{_known(template)}"')
        await connection.execute("checkpoint")  # else the first clone would wait for it


async def clone_database(admin_url: str, *, template: str, name: str) -> None:
    """Make the database `name` from a template.

    Errors:  Busy `database.disk_full`; nothing is left of it then.
    """
    async with _server(admin_url) as connection:
        try:
            await connection.execute(
                f'create database "{_known(name)}" template "{_known(template)}" strategy file_copy'
            )
        except asyncpg.DiskFullError:
            raise Busy(
                "database.disk_full", "The disk of the database is full. Free some space and try again."
            ) from None


async def drop_database(admin_url: str, name: str) -> None:
    """Delete a database with everything in it, whoever is connected. Harmless when it is not there."""
    async with _server(admin_url) as connection:
        await connection.execute(f'drop database if exists "{_known(name)}" with (force)')


async def databases_like(admin_url: str, *prefixes: str) -> list[str]:
    """Return the names of the server's databases that begin with one of these."""
    async with _server(admin_url) as connection:
        rows = await connection.fetch("select datname from pg_database order by datname")
    return [row["datname"] for row in rows if row["datname"].startswith(prefixes)]


@asynccontextmanager
async def _server(admin_url: str) -> AsyncIterator[Any]:
    connection = await connect_admin(urlunsplit(urlsplit(admin_url)._replace(path="/postgres")))
    try:
        yield connection
    finally:
        await connection.close()


def _known(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"the database name {name!r} may hold lower-case letters, digits and _ only")
    return name
