"""What Docker Compose is told: the app, its worker and its database on one machine, each with no more than it needs.

Pure: facts in, one file out. A new version is an image and `docker compose up -d`; a judged one is for `deploy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipworthy.delivery.image import DRAIN_S, PORT, POSTGRES, STATE_MIB, TEMP_MIB, UID, VALKEY, VALKEY_SERVES

DATABASE, SESSIONS = "database", "sessions"  # the names by which services find one another
_START_RETRIES = 30


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One app on one machine. Without `image` it is built from the folder that the file lies below."""

    app: str  # of the project, of the database
    port: int
    image: str = ""
    context: str = ".."
    has_valkey: bool = False
    memory_mib: int = 512
    worker_memory_mib: int = 1024


def compose_of(machine: Machine) -> dict[str, Any]:
    """Return the Compose file's contents."""
    services = {
        DATABASE: _database(machine),
        "migrate": {
            **_ours(machine, ["migrate", "up", "--prepare"], files=("app.env", "admin.env")),
            "restart": "no",
            "depends_on": {DATABASE: {"condition": "service_healthy"}},
            "networks": ["inside"],
        },
        "web": {
            **_ours(machine, ["serve", "--host=0.0.0.0", f"--port={PORT}"], files=("app.env",)),
            "depends_on": _after(machine),
            # The machine's own: what stands before it speaks TLS.
            "ports": [f"127.0.0.1:{machine.port}:{PORT}"],
            "mem_limit": f"{machine.memory_mib}m",
            "networks": ["inside", "outside"],
        },
        "worker": {
            **_ours(machine, ["work"], files=("app.env",)),
            "depends_on": _after(machine),
            "healthcheck": {"disable": True},  # it listens nowhere
            "mem_limit": f"{machine.worker_memory_mib}m",
            "networks": ["inside", "outside"],  # it sends mail and webhooks
        },
    }
    if machine.has_valkey:
        services[SESSIONS] = _valkey()
    return {
        "name": machine.app,
        "services": services,
        "volumes": {"database": {}, **({SESSIONS: {}} if machine.has_valkey else {})},
        "networks": {"inside": {"internal": True}, "outside": {}},
    }


def _after(machine: Machine) -> dict[str, Any]:
    after = {"migrate": {"condition": "service_completed_successfully"}}
    return after | ({SESSIONS: {"condition": "service_healthy"}} if machine.has_valkey else {})


def _ours(machine: Machine, arguments: list[str], *, files: tuple[str, ...]) -> dict[str, Any]:
    made = {"image": machine.image} if machine.image else {"build": {"context": machine.context}}
    return {
        **made,
        "command": ["shipworthy", *arguments],
        "env_file": list(files),
        "environment": {"SHIPWORTHY_STATE": "/state"},
        "user": f"{UID}:{UID}",
        "read_only": True,
        "tmpfs": [f"/state:size={STATE_MIB}m,uid={UID},gid={UID},mode=0700", f"/tmp:size={TEMP_MIB}m"],  # noqa: S108 - the container's own
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": f"{DRAIN_S}s",
        "init": True,
    }


def _database(machine: Machine) -> dict[str, Any]:
    return {
        "image": POSTGRES,
        "command": ["postgres", "-c", "shared_preload_libraries=pg_stat_statements"],
        "env_file": ["database.env"],
        "environment": {"POSTGRES_DB": machine.app},
        "volumes": ["database:/var/lib/postgresql"],
        "shm_size": "256m",
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": "60s",
        "healthcheck": _healthy(["pg_isready", "-U", "postgres", "-d", machine.app]),
        "networks": ["inside"],
    }


def _valkey() -> dict[str, Any]:
    asked = 'REDISCLI_AUTH="$$VALKEY_PASSWORD" valkey-cli ping | grep -q PONG'
    return {
        "image": VALKEY,
        "command": ["sh", "-c", VALKEY_SERVES.replace("$", "$$")],  # Compose's own variables are not meant
        "env_file": ["valkey.env"],
        "volumes": ["sessions:/data"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "healthcheck": _healthy(["sh", "-c", asked]),
        "networks": ["inside"],
    }


def _healthy(command: list[str]) -> dict[str, Any]:
    return {"test": ["CMD", *command], "interval": "2s", "timeout": "3s", "retries": _START_RETRIES}
