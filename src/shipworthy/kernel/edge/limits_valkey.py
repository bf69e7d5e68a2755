"""Limits in Valkey (or Redis), shared by all processes: one Lua script, so that twenty at once are counted one by one.

The time is the server's: processes whose clocks differ count alike. While it is away nothing is limited.
"""

from __future__ import annotations

import time
from typing import Any

from shipworthy.kernel.edge.gcra import Rate
from shipworthy.kernel.telemetry.log import log
from shipworthy.kernel.valkey import AWAY, AWAY_PAUSE_S, valkey_at

# In microseconds, whole: a Lua number carries 53 bits, and Valkey cuts what a script returns to an integer.
# The clock of a server that was set back does not lock a key: what it owes is never more than all of it.
_SCRIPT = """
local at = redis.call('TIME')
local now = at[1] * 1000000 + at[2]
local each, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local paid = tonumber(redis.call('GET', KEYS[1]) or '0')
local begins = math.min(math.max(paid, now), now + tolerance + each)
local wait = begins - tolerance - now
if wait > 0 then return wait end
local left = begins + each - now
redis.call('SET', KEYS[1], string.format('%.0f', begins + each), 'PX', math.ceil(left / 1000))
return 0
"""


class ValkeyLimits:
    """The keys of an installation in one Valkey."""

    def __init__(self, url: str, *, timeout_s: float = 0.25) -> None:
        self._client = valkey_at(url, timeout_s=timeout_s)
        self._script: Any = self._client.register_script(_SCRIPT)
        self._away_until_s = 0.0

    async def wait_s(self, key: bytes, rate: Rate) -> float:
        if time.monotonic() < self._away_until_s:
            return 0.0
        micros = (round(rate.each_s * 1e6), round(rate.tolerance_s * 1e6))
        try:
            wait = await self._script(keys=[f"limit:{key.hex()}"], args=micros)
        except AWAY as failed:
            if not self._away_until_s:
                log.warning("valkey is away; nothing is limited meanwhile", extra={"reason": str(failed)})
            self._away_until_s = time.monotonic() + AWAY_PAUSE_S
            return 0.0
        self._away_until_s = 0.0
        return int(wait) / 1e6

    async def close(self) -> None:
        await self._client.aclose()
