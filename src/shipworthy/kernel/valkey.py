"""Reaching a Valkey (or Redis), in one way for every part that keeps something there. The only file that knows its client."""

from __future__ import annotations

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ConnectionError as Unreachable
from valkey.exceptions import ValkeyError

CONNECTIONS_MAX = 16  # a question holds one for a fraction of a millisecond
AWAY_PAUSE_S = 1.0  # while it is away one question a second finds out; the others do not wait
AWAY = (ValkeyError, OSError, TimeoutError)


def valkey_at(url: str, *, timeout_s: float) -> Valkey:
    """Return a client whose every step ends within `timeout_s`. Nothing is connected until something is asked.

    Errors:  those of AWAY, from every question.
    """
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # A connection that died in the pool is replaced at once; who waited in vain does not wait again.
        retry=Retry(NoBackoff(), 1, supported_errors=(Unreachable,)),
    )
    return Valkey.from_pool(pool)
