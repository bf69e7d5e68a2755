"""How often one network may send something to one site. In memory, by a bucket each; bounded."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

_BUCKETS_MAX = 20_000


class Budgets:
    """Buckets that fill by `per_minute` and hold that many."""

    def __init__(self, *, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._buckets: OrderedDict[tuple[bytes, str], tuple[float, float]] = OrderedDict()

    def takes(self, of: bytes, client: str) -> bool:
        """Take one from the bucket of a client's network; say whether there was one."""
        key, now = (of, network_of(client)), self._clock()
        left, at = self._buckets.pop(key, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - at) * self._per_minute / 60)
        self._buckets[key] = (max(0.0, left - 1), now)
        while len(self._buckets) > _BUCKETS_MAX:
            self._buckets.popitem(last=False)
        return left >= 1


def network_of(client: str) -> str:
    """Return the network that counts as one: an IPv4 address, or the first 64 bits of an IPv6 one."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)
