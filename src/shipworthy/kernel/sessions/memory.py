"""Sessions in the memory of one process: for tests, and for an app that needs no second one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from shipworthy.kernel.context import Principal
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.sessions.store import Acting, Device, NewSession, digest_of, new_token
from shipworthy.kernel.settings import SessionsSection


class MemorySessions:
    """Sessions in one process. The settings refuse it beside a second process."""

    def __init__(
        self, settings: SessionsSection, *, now: Callable[[], datetime], new_id: Callable[[], uuid.UUID]
    ) -> None:
        self._settings, self._now, self._new_id = settings, now, new_id
        self._by_digest: dict[bytes, _Held] = {}

    async def create(self, new: NewSession, *, tx: Tx | None = None) -> str:
        token, digest = new_token()
        at = self._now()
        self._forget_ended(at)
        self._by_digest[digest] = _Held(
            new, self._new_id(), at, at, at, at + timedelta(seconds=self._settings.absolute_ttl_s)
        )
        return token

    async def lookup(self, token: str) -> Principal | None:
        held, at = self._by_digest.get(digest_of(token)), self._now()
        if held is None or not self._is_live(held, at):
            return None
        held.last_seen_at = at
        return _principal(held)

    async def renew(
        self,
        session_id: uuid.UUID,
        *,
        amr: tuple[str, ...] | None = None,
        email: str | None = None,
        acting: Acting | None = None,
        tx: Tx | None = None,
    ) -> str | None:
        found = [(d, h) for d, h in self._by_digest.items() if h.session_id == session_id]
        if not found or not self._is_live(found[0][1], self._now()):
            return None
        old, held = found[0]
        token, digest = new_token()
        self._by_digest[digest] = self._by_digest.pop(old)
        held.new = replace(held.new, email=email or held.new.email)
        if acting is not None:
            held.new = replace(held.new, **asdict(acting))
        if amr is not None:
            held.new, held.proven_at = replace(held.new, amr=amr), self._now()
        return token

    async def revoke(self, session_id: uuid.UUID) -> bool:
        ended = [d for d, h in self._by_digest.items() if h.session_id == session_id]
        for digest in ended:
            del self._by_digest[digest]
        return bool(ended)

    async def revoke_others(
        self, user_id: uuid.UUID, *, keep: uuid.UUID | None, tx: Tx | None = None
    ) -> None:
        for digest, held in list(self._by_digest.items()):
            if held.new.user_id == user_id and held.session_id != keep:
                del self._by_digest[digest]

    async def rename(self, user_id: uuid.UUID, *, name: str) -> None:
        for held in self._by_digest.values():
            if held.new.user_id == user_id:
                held.new = replace(held.new, name=name)

    async def speak(self, user_id: uuid.UUID, *, language: str, tx: Tx | None = None) -> None:
        for held in self._by_digest.values():
            if held.new.user_id == user_id:
                held.new = replace(held.new, language=language)

    async def change_role(
        self, user_id: uuid.UUID, *, tenant_id: uuid.UUID, role: str | None, tx: Tx | None = None
    ) -> None:
        for held in self._by_digest.values():
            if (held.new.user_id, held.new.tenant_id) == (user_id, tenant_id):
                held.new = replace(held.new, role=role)
                if role is None:
                    held.new = replace(held.new, tenant_id=None, tenant_name="")

    async def rename_tenant(self, tenant_id: uuid.UUID, *, name: str, tx: Tx | None = None) -> None:
        for held in self._by_digest.values():
            if held.new.tenant_id == tenant_id:
                held.new = replace(held.new, tenant_name=name)

    async def set_operator(self, user_id: uuid.UUID, *, is_operator: bool, tx: Tx | None = None) -> None:
        for held in self._by_digest.values():
            if held.new.user_id == user_id:
                held.is_operator = is_operator

    async def devices(self, user_id: uuid.UUID) -> list[Device]:
        at = self._now()
        live = [h for h in self._by_digest.values() if h.new.user_id == user_id and self._is_live(h, at)]
        return sorted((h.device() for h in live), key=lambda d: d.last_seen_at, reverse=True)

    def _is_live(self, held: _Held, at: datetime) -> bool:
        idle_end = held.last_seen_at + timedelta(seconds=self._settings.idle_ttl_s)
        return at < min(idle_end, held.absolute_end)

    def _forget_ended(self, at: datetime) -> None:
        for digest in [d for d, h in self._by_digest.items() if not self._is_live(h, at)]:
            del self._by_digest[digest]


@dataclass(slots=True)
class _Held:
    new: NewSession
    session_id: uuid.UUID
    created_at: datetime
    proven_at: datetime
    last_seen_at: datetime
    absolute_end: datetime
    is_operator: bool = False

    def device(self) -> Device:
        return Device(
            session_id=self.session_id,
            device_id=self.new.device_id,
            device_name=self.new.device_name,
            created_at=self.created_at,
            last_seen_at=self.last_seen_at,
        )


def _principal(held: _Held) -> Principal:
    new = held.new
    return Principal(
        user_id=new.user_id,
        session_id=held.session_id,
        tenant_id=new.tenant_id,
        role=new.role,
        email=new.email,
        name=new.name,
        tenant_name=new.tenant_name,
        amr=new.amr,
        proven_at=held.proven_at,
        language=new.language,
        is_operator=held.is_operator,
    )
