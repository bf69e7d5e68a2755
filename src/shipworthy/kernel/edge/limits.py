"""Limits by GCRA, kept in this process: one contract for every store, and the store that needs nobody.

A key is made of what it limits and of whom, under the installation's own key: who reads the store learns no
account and no address. A store that is away limits nothing: it says so once, and people are served.
"""

from __future__ import annotations

import hmac
import uuid
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Protocol

from shipworthy.kernel.edge.gcra import Rate, judged

KEYS_MAX = 50_000  # of one process: 10 MB; the key that was asked for longest ago is forgotten first
_USE = b"shipworthy/edge/limit/1\x00"


class Limits(Protocol):
    """Where keys are counted."""

    async def wait_s(self, key: bytes, rate: Rate) -> float:
        """Count one; return 0 when it may pass, else the seconds until one may, and count nothing."""
        ...


class MemoryLimits:
    """The keys of one process. `clock` is seconds that never go back."""

    def __init__(self, *, clock: Callable[[], float], keys_max: int = KEYS_MAX) -> None:
        self._clock, self._keys_max = clock, keys_max
        self._paid_until_s: OrderedDict[bytes, float] = OrderedDict()

    async def wait_s(self, key: bytes, rate: Rate) -> float:
        return self.wait_now_s(key, rate)

    def wait_now_s(self, key: bytes, rate: Rate) -> float:
        """Do the same without a turn of the loop. Cost: about 1 us."""
        kept = self._paid_until_s
        wait_s, paid_until_s = judged(kept.pop(key, 0.0), self._clock(), rate)
        kept[key] = paid_until_s
        if len(kept) > self._keys_max:
            kept.popitem(last=False)
        return wait_s


class Keys:
    """Makes the keys of one installation. What is limited stands in front, so that no two limits share one."""

    def __init__(self, *, signing_key: bytes, realm_id: uuid.UUID) -> None:
        self._key, self._prefix = signing_key, _USE + realm_id.bytes

    def __call__(self, limit: str, *of: str) -> bytes:
        """Return the key of a limit for a network, an account, both, or a tenant. Cost: about 1.5 us."""
        said = "\x00".join((limit, *of)).encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, self._prefix + said, "sha256")[:16]


def retry_after_s(wait_s: float) -> int:
    """Return what Retry-After says: whole seconds, never too few."""
    return max(1, ceil(wait_s))
