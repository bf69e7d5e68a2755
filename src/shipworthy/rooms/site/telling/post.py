"""One bounded POST to an endpoint the operator named."""

from __future__ import annotations

import time
from collections.abc import Mapping

from shipworthy.kernel.breaker import Breaker
from shipworthy.kernel.egress import Answered, Egress, ProviderFailed
from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.runtime import Runtime

_TIMEOUT_S = 5.0
_STATE = "site.egress"
_AGAIN = frozenset({408, 425, 429})  # and every 5xx, which never comes as an answer


async def post(runtime: Runtime, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answered:
    """Return an answer that is final, whatever it says. Errors: Upstream `site.unheard`: try again."""
    if _STATE not in runtime.state:
        runtime.state[_STATE] = Egress(
            loopback_allowed=runtime.settings.http.public_scheme == "http",
            breaker=Breaker(clock=time.monotonic),
            timeout_s=_TIMEOUT_S,
        )
    egress: Egress = runtime.state[_STATE]
    try:
        answer = await egress.send(url, body, headers=headers)
    except ProviderFailed as failed:
        raise _unheard(str(failed)) from failed
    if answer.status in _AGAIN:
        raise _unheard(f"status {answer.status}")
    return answer


def _unheard(why: str) -> Upstream:
    return Upstream("site.unheard", f"Nobody took the word; it is tried again. {why}")
