"""Making an installation's database ready: create, bootstrap, migrate, and its one realm."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from shipworthy.kernel.db.migrate import Migration, RoomMigrations, bootstrap, migrate_up
from shipworthy.kernel.db.tx import connect_admin


async def prepare_database(
    admin_url: str,
    *,
    passwords: Mapping[str, str],
    rooms: Sequence[RoomMigrations],
    realm_id: uuid.UUID,
    realm_name: str,
) -> list[Migration]:
    """Create the database `admin_url` names where it is missing and bring it up to date.

    Returns the migrations that were applied. Safe to run again, and to run twice at once.
    Errors:  ValueError for a name or a password that cannot be used.
    """
    await make_database(admin_url, passwords=passwords)
    applied = await migrate_up(admin_url, rooms)
    await make_realm(admin_url, realm_id, realm_name)
    return applied


async def make_database(admin_url: str, *, passwords: Mapping[str, str]) -> None:
    """Create the database and the roles where they are missing, and give the roles these passwords.

    Errors:  ValueError for a name or a password that cannot be used.
    """
    await _create_if_missing(admin_url)
    await bootstrap(admin_url, passwords=passwords)


async def make_realm(admin_url: str, realm_id: uuid.UUID, name: str) -> None:
    """Enter the installation's one realm where it is missing; the kernel's migrations were applied."""
    connection = await connect_admin(admin_url)
    try:
        await connection.execute(
            "insert into realm (realm_id, name) values ($1, $2) on conflict do nothing", realm_id, name
        )
    finally:
        await connection.close()


def role_url(admin_url: str, role: str, password: str) -> str:
    """Return `admin_url` with another role's credentials."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password, safe='')}@{host}"))


async def _create_if_missing(admin_url: str) -> None:
    parts = urlsplit(admin_url)
    name = parts.path.lstrip("/")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"the database name {name!r} may hold letters, digits, - and _ only")
    connection = await connect_admin(urlunsplit(parts._replace(path="/postgres")))
    try:
        await connection.execute(f'create database "{name}"')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        return  # there, or just made by another process
    finally:
        await connection.close()


async def tenants_of(admin_url: str) -> list[tuple[uuid.UUID, str, datetime]]:
    """Return (id, name, created_at) of every tenant, past row security: for operators."""
    connection = await connect_admin(admin_url)
    try:
        rows = await connection.fetch(
            "select tenant_id, name, created_at from tenant order by created_at, tenant_id"
        )
        return [(row["tenant_id"], row["name"], row["created_at"]) for row in rows]
    finally:
        await connection.close()
