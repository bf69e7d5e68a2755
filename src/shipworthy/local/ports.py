"""Ports on the loopback interface: finding a free one, and saying so when one is taken."""

from __future__ import annotations

import errno
import socket

from shipworthy.local.errors import PortTaken

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a TCP port that nobody listened on a moment ago.

    Another process may still take it before the caller binds it, so a caller that can bind
    port 0 itself should, and one that cannot tries again on failure.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


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
