"""Ports on the loopback interface: finding a free one, and saying so when one is taken."""

from __future__ import annotations

import errno
import random
import socket
from pathlib import Path

from shipworthy.local.errors import PortTaken

LOOPBACK = "127.0.0.1"


# The kernel hands these out to outgoing connections, so one of them is taken by chance between
# being found free and being listened on.
_HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000
_TRIES = 100


def free_port() -> int:
    """Return a TCP port that nobody listened on a moment ago and no outgoing connection will be given.

    Another program may still take it before the caller binds it, so a caller that can bind
    port 0 itself should.
    """
    for port in random.SystemRandom().sample(_never_handed_out(), _TRIES):
        if _can_be_had(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _never_handed_out() -> range:
    try:
        lowest, highest = (int(word) for word in _HANDED_OUT.read_text().split())
    except (OSError, ValueError):
        lowest, highest = 32_768, 60_999  # Linux's default
    below, above = range(_LOWEST, lowest), range(highest + 1, 65_536)
    widest = max(below, above, key=len)
    return widest if len(widest) >= _TRIES else range(_LOWEST, 65_536)


def _can_be_had(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_port(port: int, *, what: str) -> int:
    """Return `port` (or a free one for 0), refusing a port that cannot be had.

    Errors:  PortTaken.
    """
    if port == 0:
        return free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As every server here does: a port in TIME_WAIT after a restart is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise port_taken(port, what=what, forbidden=error.errno == errno.EACCES) from error
    return port


def port_taken(port: int, *, what: str, forbidden: bool = False) -> PortTaken:
    """The one sentence for a port that cannot be had."""
    if forbidden:
        return PortTaken(
            f"Port {port} for the {what} may not be used by this user. Choose one above 1023, "
            "or 0 for any free one."
        )
    return PortTaken(
        f"Port {port} for the {what} is taken by another program. Choose another one, or 0 for any free "
        f"one (to see who holds it: ss -ltnp 'sport = :{port}')."
    )
