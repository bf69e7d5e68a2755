"""Whom an access token stands for: its program, looked up at most once in a few seconds.

The token's signature says that we gave it; only the database says whether its program has been ended
since, and what its person may do today.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict

from shipworthy.kernel.context import Ctx, Principal, Scope
from shipworthy.kernel.http.origin import origin_of
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.oauth.jose import TokenRefused
from shipworthy.rooms.auth.programs import access
from shipworthy.rooms.auth.programs.keys import keys_at

_ENTRIES_MAX = 20_000


class Bearers:
    """One process's access tokens. An ended program is felt within `sessions.cache_ttl_s`."""

    def __init__(self) -> None:
        self._cache: OrderedDict[bytes, tuple[float, float, Principal]] = OrderedDict()

    async def __call__(self, ctx: Ctx, token: str) -> Principal | None:
        """Return who acts, or None when the token is not ours, over, or its program ended."""
        issuer, now_s = origin_of(ctx), ctx.now().timestamp()
        known = hashlib.sha256(f"{issuer}\0{token}".encode("utf-8", "surrogateescape")).digest()
        cached = self._cache.get(known)
        if cached is not None and cached[0] > time.monotonic() and now_s < cached[1]:
            return cached[2]
        self._cache.pop(known, None)
        keys = keys_at(ctx.runtime.signing_key, realm_id=ctx.scope.realm_id, now=ctx.now())
        try:
            said = access.read(token, keys=keys, issuer=issuer, now=ctx.now())
        except TokenRefused:
            return None
        async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
            row = await tx.maybe(q.program_person, program_id=said.program_id, now=ctx.now())
        if row is None:
            return None
        principal = Principal(**dict(row))
        ttl_s = ctx.runtime.settings.sessions.cache_ttl_s
        self._cache[known] = (time.monotonic() + ttl_s, said.expires_at_s, principal)
        while len(self._cache) > _ENTRIES_MAX:
            self._cache.popitem(last=False)
        return principal
