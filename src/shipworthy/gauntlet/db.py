"""The examiner's own way into the database: as a role, scoped to one tenant, leaving no trace.

Owns connecting by the addresses of a handle and the transaction that is always rolled back.
Shares nothing with the app's way in: the app's could be what is wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import asyncpg

from shipworthy.contract.manifest import Scope
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.check import Undecided

CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 60.0  # counting a large table may take a while on a busy machine

ANONYMOUS = "anonymous"
_CHANGING = ("app", ANONYMOUS)  # ways in whose requests change their role, where the scope says so

PostgresError = asyncpg.PostgresError
# Not answers of the database about a statement, but the lack of one.
GONE = (
    OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
)  # fmt: skip
_SET = "select set_config(name, value, true) from unnest($1::text[], $2::text[]) as wanted(name, value)"


class Database:
    """One role's way in."""

    def __init__(self, url: str, *, role: str, scope: Scope) -> None:
        self.url, self.role, self.scope = url, role, scope

    @property
    def user(self) -> str:
        """The database's own name of the role."""
        return unquote(urlsplit(self.url).username or self.role)

    @property
    def acts_as(self) -> str:
        """The role whose rights a request has: the one it changes to, where the app does so."""
        return self.scope.role if self.role in _CHANGING and self.scope.role else self.user

    def anonymous(self) -> Database | None:
        """Return the way in of who is not signed in; None where the app has no role for them."""
        nobody = self.scope.anonymous_role
        return Database(self.url, role=ANONYMOUS, scope=replace(self.scope, role=nobody)) if nobody else None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Yield a connection of this role. Errors: Undecided when there is none to be had."""
        try:
            connection = await asyncpg.connect(
                self.url,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=STATEMENT_TIMEOUT_S,
                statement_cache_size=0,  # every statement is asked once; nothing may be planned ahead
                server_settings={"application_name": "shipworthy-gauntlet"},
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as failed:
            raise Undecided(f"The database did not let role {self.role} in: {failed}") from failed
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)

    @asynccontextmanager
    async def scoped(self, person: Credential | None, *, realm_only: bool = False) -> AsyncIterator[Any]:
        """Yield a connection in a transaction scoped to a person's tenant, then roll it back."""
        async with self.connection() as connection, self.within(connection, person, realm_only=realm_only):
            yield connection

    @asynccontextmanager
    async def within(
        self, connection: Any, person: Credential | None, *, realm_only: bool = False
    ) -> AsyncIterator[None]:
        """Scope an open connection for the length of a transaction that is always rolled back.

        With `person` None nothing is set: what a forgotten scope looks like. With `realm_only`
        the tenant is set to nothing, as before a tenant is known.
        Errors:  Undecided when the role may not change to the one that requests change to.
        """
        transaction = connection.transaction()
        await transaction.start()
        try:
            if self.acts_as != self.user:
                await self._change_role(connection)
            if person is not None:
                await connection.execute(_SET, *zip(*_settings(self.scope, person, realm_only), strict=True))
            yield
        finally:
            if not connection.is_closed():
                await transaction.rollback()

    async def _change_role(self, connection: Any) -> None:
        quoted = '"' + self.acts_as.replace('"', '""') + '"'
        try:
            await connection.execute(f"set local role {quoted}")
        except PostgresError as refused:
            raise Undecided(
                f"The role {self.user} could not change to {self.acts_as}: {refused}",
                fix="Let target.database name the role that the app itself signs in as.",
            ) from refused

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        """Run one statement on a connection of its own, unscoped, and keep its effect."""
        async with self.connection() as connection:
            rows: list[Any] = await connection.fetch(sql, *values)
            return rows


class OpenConnections:
    """One connection of each role, kept open: opening one costs more than what most are asked (25 ms to 1 ms).

    Close it with the check, for some checks end every session of the database or want it to themselves.
    """

    def __init__(self) -> None:
        self._open: dict[str, tuple[AsyncExitStack, Any]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def of(self, database: Database) -> Any:
        """Return the role's connection; a new one when it was ended. Errors: Undecided when there is none to be had."""
        held = self._open.get(database.url)
        if held is not None and not held[1].is_closed():
            return held[1]
        stack = AsyncExitStack()
        self._open[database.url] = stack, await stack.enter_async_context(database.connection())
        return self._open[database.url][1]

    async def close(self) -> None:
        """Give all back. The next one asked for is opened anew."""
        while self._open:
            _url, (stack, _connection) = self._open.popitem()
            with suppress(*GONE):  # one that is gone cannot be closed, and need not be
                await stack.aclose()


def _settings(scope: Scope, person: Credential, realm_only: bool) -> list[tuple[str, str]]:
    whole = scope.tenant_value.replace("{tenant_id}", person.tenant_id).replace("{email}", person.email)
    settings = [(scope.tenant_setting, "" if realm_only else whole)]
    if scope.realm_setting:
        settings.append((scope.realm_setting, person.realm_id))
    return settings
