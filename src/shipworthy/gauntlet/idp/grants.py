"""What the stub has given out and not yet seen used up: codes, access and refresh tokens.

A code works once; used twice, everything that came from it is taken back (RFC 6749 4.1.2). The
same goes for a refresh token. Bounded in number and time, so that hours of load leave nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shipworthy.gauntlet.idp.registry import Person

CODE_TTL_S = 60.0
ACCESS_TTL_S = 3600.0
REFRESH_TTL_S = 24 * 3600.0
KEPT_MAX = 100_000  # ten minutes of 150 sign-ins a second
T = TypeVar("T")


@dataclass(eq=False)
class Grant:
    """One consent of one person to one client. `is_revoked` ends all that came from it."""

    client_id: str
    person: Person
    redirect_uri: str
    scope: tuple[str, ...]
    nonce: str
    challenge: str
    authenticated_at: int
    is_revoked: bool = False


class Grants:
    """The three stores."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._codes: _Kept[Grant] = _Kept(CODE_TTL_S, clock)
        self._access: _Kept[Grant] = _Kept(ACCESS_TTL_S, clock)
        self._refresh: _Kept[Grant] = _Kept(REFRESH_TTL_S, clock)
        self._used: _Kept[Grant] = _Kept(REFRESH_TTL_S, clock)

    def code(self, grant: Grant) -> str:
        return self._codes.add(grant)

    def redeem(self, code: str) -> Grant | None:
        """Return what the code stands for and use it up. One that was used already revokes its grant."""
        return self._spent(self._codes, code)

    def access_token(self, grant: Grant) -> str:
        return self._access.add(grant)

    def bearer(self, token: str) -> Grant | None:
        """Return the grant of an access token that is still good."""
        grant = self._access.get(token)
        return grant if grant and not grant.is_revoked else None

    def refresh_token(self, grant: Grant) -> str:
        return self._refresh.add(grant)

    def refresh(self, token: str) -> Grant | None:
        """Return what a refresh token stands for and use it up, as `redeem` does."""
        return self._spent(self._refresh, token)

    def _spent(self, store: _Kept[Grant], token: str) -> Grant | None:
        grant = store.pop(token)
        if grant is None:
            if again := self._used.get(token):
                again.is_revoked = True
            return None
        self._used.put(token, grant)
        return None if grant.is_revoked else grant


class _Kept(Generic[T]):
    """Things under random names for a fixed time, the oldest dropped first."""

    def __init__(self, ttl_s: float, clock: Callable[[], float]) -> None:
        self._ttl_s, self._clock = ttl_s, clock
        self._things: dict[str, tuple[float, T]] = {}  # in the order of their ends: one ttl for all

    def add(self, thing: T) -> str:
        token = secrets.token_urlsafe(24)
        self.put(token, thing)
        return token

    def put(self, token: str, thing: T) -> None:
        now = self._clock()
        self._things[token] = (now + self._ttl_s, thing)
        while self._things:
            oldest = next(iter(self._things))
            if len(self._things) <= KEPT_MAX and self._things[oldest][0] > now:
                return
            del self._things[oldest]

    def get(self, token: str) -> T | None:
        ends_at, thing = self._things.get(token, (0.0, None))
        return thing if ends_at > self._clock() else None

    def pop(self, token: str) -> T | None:
        ends_at, thing = self._things.pop(token, (0.0, None))
        return thing if ends_at > self._clock() else None
