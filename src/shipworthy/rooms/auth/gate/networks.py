"""Networks somebody has signed in from within the last 30 days: better known than none.

Kept in memory, so that the gate asks no database; written at most once a day for each network, and
read again every hour, because another process may have learned of more. Only a keyed hash is kept:
the list says nothing about where people live.
"""

from __future__ import annotations

import hmac
import uuid
from collections import OrderedDict
from datetime import datetime, timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.auth.catalogue import q

STATE = "auth.networks"
KEPT_FOR = timedelta(days=30)
_WRITTEN_EVERY = timedelta(days=1)
_READ_EVERY = timedelta(hours=1)
_ENTRIES_MAX = 50_000
_USE = b"shipworthy/auth/network/1\x00"


class Networks:
    """The networks of one process."""

    def __init__(self, *, signing_key: bytes, realm_id: uuid.UUID) -> None:
        self._key, self._prefix = signing_key, _USE + realm_id.bytes
        self._written_at: OrderedDict[bytes, datetime] = OrderedDict()
        self._read_at: datetime | None = None

    def knows(self, network: str) -> bool:
        return self._digest(network) in self._written_at

    def to_write(self, network: str, now: datetime) -> bytes | None:
        """Return what is to be written of a network somebody has just signed in from; None when it is fresh."""
        digest = self._digest(network)
        written_at = self._written_at.get(digest)
        return digest if written_at is None or now - written_at > _WRITTEN_EVERY else None

    def written(self, digest: bytes, now: datetime) -> None:
        """Remember it, once the transaction that wrote it has ended well."""
        self._written_at[digest] = now
        self._written_at.move_to_end(digest)
        while len(self._written_at) > _ENTRIES_MAX:
            self._written_at.popitem(last=False)

    async def read_when_due(self, ctx: Ctx, tx: Tx) -> None:
        """Read the list if that was an hour ago; the sign-in that comes first pays for it."""
        now = ctx.now()
        if self._read_at is not None and now - self._read_at < _READ_EVERY:
            return
        self._read_at = now
        rows = await tx.all(q.login_network_known, since=now - KEPT_FOR, entries_max=_ENTRIES_MAX)
        self._written_at = OrderedDict((row["network"], row["succeeded_at"]) for row in reversed(rows))

    def _digest(self, network: str) -> bytes:
        return hmac.digest(self._key, self._prefix + network.encode(), "sha256")[:16]


def networks_of(runtime: Runtime) -> Networks:
    """Return the process's one list, which the room's start put there."""
    networks = runtime.state[STATE]
    assert isinstance(networks, Networks)
    return networks
