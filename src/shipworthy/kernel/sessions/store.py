"""Session stores: `memory`, `postgres` and `valkey` behind one contract.

The browser holds 256 random bits; we hold their SHA-256. A look-up is answered from a cache
of a few seconds, so a revocation made in another process is felt within `cache_ttl_s`. With
`valkey`, PostgreSQL holds the record still, and Valkey the look-up that all processes share.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from shipworthy.kernel.context import Principal, Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Database, Record, Tx
from shipworthy.kernel.settings import SessionsSection

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

BELIEVED_FOR = timedelta(seconds=60)  # after a person was seen; then the record is read, and they are seen
_CACHE_ENTRIES_MAX = 20_000


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """Who signs in, on what device, for which tenant."""

    user_id: uuid.UUID
    device_id: uuid.UUID
    device_name: str
    email: str
    name: str = ""
    tenant_id: uuid.UUID | None = None
    tenant_name: str = ""
    role: str | None = None
    amr: tuple[str, ...] = ()  # by what means they were recognised (RFC 8176)
    language: str = ""  # the one they chose on their account, if they did


@dataclass(frozen=True, kw_only=True)
class Acting:
    """For which tenant a session acts, and as what."""

    tenant_id: uuid.UUID
    tenant_name: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Device:
    """A live session as its owner sees it."""

    session_id: uuid.UUID
    device_id: uuid.UUID
    device_name: str
    created_at: datetime
    last_seen_at: datetime


class SessionStore(Protocol):
    """The contract; one test runs against every store."""

    async def create(self, new: NewSession, *, tx: Tx | None = None) -> str:
        """Begin a session; return the token for the cookie.

        With `tx`, a store on the same database begins it in that transaction: one commit for a
        sign-in and its audit row, and no second connection taken while one is held.
        """

    async def lookup(self, token: str) -> Principal | None:
        """Return who the token stands for, or None when it ended or never was."""

    async def renew(
        self,
        session_id: uuid.UUID,
        *,
        amr: tuple[str, ...] | None = None,
        email: str | None = None,
        acting: Acting | None = None,
        tx: Tx | None = None,
    ) -> str | None:
        """Give a session another token and return it; the old one ends. None where the session has ended.

        With `amr`, its person has proven just now who they are, and by these means in all; with `email`,
        they have another address; with `acting`, they act for another tenant. With `tx`, a store on the
        same database does it in that transaction.
        """

    async def revoke(self, session_id: uuid.UUID) -> bool:
        """End one session. Returns whether it was live."""

    async def revoke_others(
        self, user_id: uuid.UUID, *, keep: uuid.UUID | None, tx: Tx | None = None
    ) -> None:
        """End all sessions of a person but `keep`; with `tx`, in that transaction where the store can."""

    async def rename(self, user_id: uuid.UUID, *, name: str) -> None:
        """Show a person's new name in all their sessions."""

    async def speak(self, user_id: uuid.UUID, *, language: str, tx: Tx | None = None) -> None:
        """Speak a language in all of a person's sessions; with `tx`, in that transaction where the store can."""

    async def change_role(
        self, user_id: uuid.UUID, *, tenant_id: uuid.UUID, role: str | None, tx: Tx | None = None
    ) -> None:
        """Give a person another role in their sessions for a tenant; None: they act for no tenant any longer.

        With `tx`, in that transaction where the store can. Other processes feel it within `cache_ttl_s`.
        """

    async def rename_tenant(self, tenant_id: uuid.UUID, *, name: str, tx: Tx | None = None) -> None:
        """Show a tenant's new name in all sessions that act for it; with `tx` as above."""

    async def set_operator(self, user_id: uuid.UUID, *, is_operator: bool, tx: Tx | None = None) -> None:
        """Let a person be an operator in all their sessions, or no longer; with `tx` as above."""

    async def devices(self, user_id: uuid.UUID) -> list[Device]:
        """Return a person's live sessions, the last used first."""


class SharedLookup(Protocol):
    """Whom tokens stand for, kept where all processes reach it (valkey.py). It never raises."""

    async def get(self, digest: bytes) -> Principal | None:
        """Return whom this token stood for a moment ago, or None when the record must be asked."""

    async def put(self, digest: bytes, principal: Principal, *, until: datetime) -> None:
        """Let others believe until then what was just read, unless it was forgotten meanwhile."""

    async def forget(self, digests: Iterable[bytes]) -> None:
        """Let nobody believe what stands under these tokens."""


class PostgresSessions:
    """Sessions in the database, with a short look-up cache in this process and, given one, a shared one."""

    def __init__(
        self,
        database: Database,
        settings: SessionsSection,
        *,
        realm_id: uuid.UUID,
        now: Callable[[], datetime],
        new_id: Callable[[], uuid.UUID],
        shared: SharedLookup | None = None,
    ) -> None:
        self._shared = shared
        self._database, self._settings, self._scope = database, settings, Scope(realm_id)
        self._now, self._new_id = now, new_id
        self._cache: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def create(self, new: NewSession, *, tx: Tx | None = None) -> str:
        token, digest = new_token()
        async with self._within(tx) as within:
            await self._insert(within, new, digest)
        return token

    async def lookup(self, token: str) -> Principal | None:
        digest = digest_of(token)
        cached = self._cache.get(digest)
        if cached is not None and cached[0] > time.monotonic():
            return cached[1]
        principal = await self._shared.get(digest) if self._shared else None
        principal = principal or await self._read(digest)
        if principal is None:
            self._cache.pop(digest, None)
            return None
        self._cache[digest] = (time.monotonic() + self._settings.cache_ttl_s, principal)
        while len(self._cache) > _CACHE_ENTRIES_MAX:
            self._cache.popitem(last=False)
        return principal

    async def renew(
        self,
        session_id: uuid.UUID,
        *,
        amr: tuple[str, ...] | None = None,
        email: str | None = None,
        acting: Acting | None = None,
        tx: Tx | None = None,
    ) -> str | None:
        token, digest = new_token()
        async with self._within(tx) as within:
            renewed = await within.maybe(
                q.session_renew,
                session_id=session_id,
                token_sha256=digest,
                amr=" ".join(amr) if amr is not None else None,
                proven_at=self._now() if amr is not None else None,
                email=email,
                **(asdict(acting) if acting else dict.fromkeys(("tenant_id", "tenant_name", "role"))),
            )
        await self._forget([renewed] if renewed else [])
        return token if renewed else None

    async def revoke(self, session_id: uuid.UUID) -> bool:
        async with self._database.begin(self._scope) as tx:
            ended = await tx.all(q.session_revoke, session_id=session_id, now=self._now())
        await self._forget(ended)
        return bool(ended)

    async def revoke_others(
        self, user_id: uuid.UUID, *, keep: uuid.UUID | None, tx: Tx | None = None
    ) -> None:
        async with self._within(tx) as within:
            ended = await within.all(
                q.session_revoke_of_user, user_id=user_id, keep=keep or uuid.UUID(int=0), now=self._now()
            )
        await self._forget(ended)

    async def rename(self, user_id: uuid.UUID, *, name: str) -> None:
        async with self._database.begin(self._scope) as tx:
            renamed = await tx.all(q.session_rename_of_user, user_id=user_id, name=name)
        await self._forget(renamed)

    async def speak(self, user_id: uuid.UUID, *, language: str, tx: Tx | None = None) -> None:
        async with self._within(tx) as within:
            spoken_to = await within.all(q.session_speak_to_user, user_id=user_id, language=language)
        await self._forget(spoken_to)

    async def change_role(
        self, user_id: uuid.UUID, *, tenant_id: uuid.UUID, role: str | None, tx: Tx | None = None
    ) -> None:
        async with self._within(tx) as within:
            changed = await within.all(
                q.session_role_of_user, user_id=user_id, tenant_id=tenant_id, role=role
            )
        await self._forget(changed)

    async def rename_tenant(self, tenant_id: uuid.UUID, *, name: str, tx: Tx | None = None) -> None:
        async with self._within(tx) as within:
            await self._forget(await within.all(q.session_rename_of_tenant, tenant_id=tenant_id, name=name))

    async def set_operator(self, user_id: uuid.UUID, *, is_operator: bool, tx: Tx | None = None) -> None:
        async with self._within(tx) as within:
            changed = await within.all(q.session_operator_of_user, user_id=user_id, is_operator=is_operator)
        await self._forget(changed)

    async def devices(self, user_id: uuid.UUID) -> list[Device]:
        async with self._database.begin(self._scope) as tx:
            rows = await tx.all(q.session_list_of_user, user_id=user_id, now=self._now())
        return sorted((Device(**dict(row)) for row in rows), key=lambda d: d.last_seen_at, reverse=True)

    def _within(self, tx: Tx | None) -> AbstractAsyncContextManager[Tx]:
        """The caller's transaction, whose end is the caller's; else one of our own."""
        return nullcontext(tx) if tx is not None else self._database.begin(self._scope)

    async def _insert(self, tx: Tx, new: NewSession, digest: bytes) -> None:
        at = self._now()
        await tx.run(
            q.session_create,
            session_id=self._new_id(),
            token_sha256=digest,
            user_id=new.user_id,
            device_id=new.device_id,
            device_name=new.device_name,
            tenant_id=new.tenant_id,
            tenant_name=new.tenant_name,
            role=new.role,
            email=new.email,
            name=new.name,
            language=new.language,
            amr=" ".join(new.amr),
            now=at,
            idle_expires_at=at + timedelta(seconds=self._settings.idle_ttl_s),
            absolute_expires_at=at + timedelta(seconds=self._settings.absolute_ttl_s),
        )

    async def _read(self, digest: bytes) -> Principal | None:
        at = self._now()
        async with self._database.begin(self._scope) as tx:
            touched_end = at + timedelta(seconds=self._settings.idle_ttl_s)
            row = await tx.maybe(
                q.session_by_token,
                token_sha256=digest,
                now=at,
                seen_before=at - BELIEVED_FOR,
                idle_expires_at=touched_end,
            )
        if row is None:
            return None
        seen_at, idle_end = row["last_seen_at"], row["idle_expires_at"]
        if at - seen_at > BELIEVED_FOR:
            seen_at, idle_end = at, touched_end
        principal = Principal(
            user_id=row["user_id"],
            session_id=row["session_id"],
            tenant_id=row["tenant_id"],
            role=row["role"],
            email=row["email"],
            name=row["name"],
            tenant_name=row["tenant_name"],
            amr=tuple(row["amr"].split()),
            proven_at=row["proven_at"],
            language=row["language"],
            is_operator=row["is_operator"],
        )
        if self._shared:
            until = min(seen_at + BELIEVED_FOR, idle_end, row["absolute_expires_at"])
            await self._shared.put(digest, principal, until=until)
        return principal

    async def _forget(self, changed: Iterable[Record]) -> None:
        """Call with the old `token_sha256` of every session that ended or changed, committed or about to be."""
        digests = [row["token_sha256"] for row in changed]
        for digest in digests:
            self._cache.pop(digest, None)
        if self._shared and digests:
            await self._shared.forget(digests)


def new_token() -> tuple[str, bytes]:
    """Return 256 random bits for a cookie, and what a store knows them by."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
