"""The look-up of sessions in Valkey: shared by every process, believed for a minute, never the authority.

Under the SHA-256 of a token stands whom it stood for when the record in PostgreSQL was last read,
sealed with the app's signing key and bound to its key: who can write to the store can sign nobody
in, and an answer meant for another question is not believed. What is unsealed, late or missing is
asked of PostgreSQL, and so is everything while Valkey is away.

What ends or changes is not deleted but overwritten with nothing for as long as an older reading
could be believed, and an entry is only ever put where nothing stands: a process that read the
record before a revocation cannot put it back after one.
"""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shipworthy.kernel.context import Principal
from shipworthy.kernel.sessions.store import BELIEVED_FOR
from shipworthy.kernel.telemetry.log import log
from shipworthy.kernel.valkey import AWAY, AWAY_PAUSE_S, valkey_at

_USE = b"shipworthy session look-up 1"
_MAC_BYTES = 32


class ValkeyLookup:
    """Whom tokens stand for, in one Valkey (or Redis) reached by `url`.

    Cost:    70 us of CPU a look-up in this process (2,000 in a row on a busy machine), one round trip.
    """

    def __init__(
        self,
        url: str,
        *,
        realm_id: uuid.UUID,
        signing_key: bytes,
        now: Callable[[], datetime],
        timeout_s: float = 0.25,
    ) -> None:
        self._client = valkey_at(url, timeout_s=timeout_s)
        self._realm_id, self._signing_key, self._now = realm_id, signing_key, now
        self._away_until_s = 0.0
        self._owed: dict[bytes, float] = {}  # what could not be forgotten, and until when it matters

    async def get(self, digest: bytes) -> Principal | None:
        """Return whom this token stood for a moment ago, or None when the record must be asked."""
        if self._is_away():
            return None
        try:
            await self._pay()
            sealed = await self._client.get(self._key(digest))
        except AWAY as failed:
            self._went_away(failed)
            return None
        if self._away_until_s:
            self._away_until_s = 0.0
            log.info("valkey is back")
        entry = self._unsealed(digest, sealed) if sealed else None
        return entry.principal if entry is not None and self._now() < entry.until else None

    async def put(self, digest: bytes, principal: Principal, *, until: datetime) -> None:
        """Let others believe until then what was just read, unless it was forgotten meanwhile."""
        ttl_ms = int((until - self._now()).total_seconds() * 1000)
        if ttl_ms <= 0 or self._away_until_s:
            return
        try:
            await self._pay()
            await self._client.set(
                self._key(digest), self._sealed(digest, _Entry(principal, until)), px=ttl_ms, nx=True
            )
        except AWAY as failed:
            self._went_away(failed)

    async def forget(self, digests: Iterable[bytes]) -> None:
        """Let nobody believe what stands under these tokens. While Valkey is away it is owed.

        A process that still reaches Valkey when this one does not believes an entry to its end.
        """
        matters_until_s = time.monotonic() + BELIEVED_FOR.total_seconds()
        self._owed |= dict.fromkeys(digests, matters_until_s)
        try:
            await self._pay()
        except AWAY as failed:
            self._went_away(failed)

    async def close(self) -> None:
        await self._client.aclose()

    async def _pay(self) -> None:
        if not self._owed:
            return
        paying = dict(self._owed)
        async with self._client.pipeline(transaction=False) as pipeline:
            for digest in paying:
                pipeline.set(self._key(digest), b"", px=BELIEVED_FOR)
            await pipeline.execute()
        for digest in paying:
            self._owed.pop(digest, None)

    def _key(self, digest: bytes) -> str:
        return f"session:{self._realm_id.hex}:{digest.hex()}"

    def _sealed(self, digest: bytes, entry: _Entry) -> bytes:
        said = msgspec.json.encode(entry)
        return self._mac(digest, said) + said

    def _unsealed(self, digest: bytes, sealed: bytes) -> _Entry | None:
        mac, said = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(digest, said)):
            return None
        try:
            return msgspec.json.decode(said, type=_Entry)
        except msgspec.DecodeError:  # written by another version of us
            return None

    def _mac(self, digest: bytes, said: bytes) -> bytes:
        return hmac.digest(self._signing_key, _USE + self._realm_id.bytes + digest + said, "sha256")

    def _is_away(self) -> bool:
        now_s = time.monotonic()
        if now_s < self._away_until_s:
            return True
        if self._away_until_s:
            self._away_until_s = now_s + AWAY_PAUSE_S  # this look-up finds out, and the others need not wait
        return False

    def _went_away(self, failed: Exception) -> None:
        now_s = time.monotonic()
        if not self._away_until_s:
            log.warning(
                "valkey is away; sessions are looked up in the database", extra={"reason": str(failed)}
            )
        self._away_until_s = now_s + AWAY_PAUSE_S
        self._owed = {digest: end_s for digest, end_s in self._owed.items() if end_s > now_s}


@dataclass(frozen=True)
class _Entry:
    principal: Principal
    until: datetime
