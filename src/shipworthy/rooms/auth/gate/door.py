"""The door of the sign-in: refuses with nothing but a request's head, before a byte of the body is read.

No database, no template, no task: what a flood costs here is what it costs us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.kernel.edge.networks import network_of
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.wire import client_of, headers_of
from shipworthy.kernel.route import Door
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.auth.devices import known_token
from shipworthy.rooms.auth.gate.line import Caller, Standing
from shipworthy.rooms.auth.gate.networks import networks_of
from shipworthy.rooms.auth.hashing import busy, pool_of


def login_door(runtime: Runtime) -> Door:
    """Return the door. Cost: 2 us while there is room, about 20 us for a refusal."""
    trusted_proxies = runtime.settings.http.trusted_proxies

    def ask(request: Mapping[str, Any]) -> Refusal | None:
        pool = pool_of(runtime)
        if pool.is_idle:
            return None
        headers = headers_of(request)
        token = known_token(runtime, headers.get("cookie", ""))
        client = client_of(request, headers, trusted_proxies)
        return None if pool.has_place(caller_of(runtime, token=token, client=client)) else busy()

    return ask


def caller_of(runtime: Runtime, *, token: str | None, client: str) -> Caller:
    """Return the caller's standing: by the browser's cookie, else by the network."""
    if token is not None:
        return Caller(Standing.KNOWN_DEVICE, token)
    network = network_of(client)
    is_known = networks_of(runtime).knows(network)
    return Caller(Standing.KNOWN_NETWORK if is_known else Standing.UNKNOWN, network)
