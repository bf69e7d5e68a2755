"""A cluster that an app is brought out to, and the words that all its manifests share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]
LOCKED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What is brought out, and where: `secret` holds the SHIPWORTHY_… variables of the installation.

    With `database_gib` the database is one of CloudNativePG's, else it is somewhere else and the secrets say where.
    """

    app: str  # a DNS label
    image: str
    hosts: tuple[str, ...]
    gateway: str
    namespace: str = "default"
    replicas: int = 2
    replicas_max: int = 10
    database_gib: int = 0
    has_valkey: bool = False
    weights: tuple[int, ...] = (1, 5, 25, 50, 100)

    @property
    def secret(self) -> str:
        return f"{self.app}-environment"

    @property
    def admin_secret(self) -> str:
        """What migrates knows the administrator's address; the web does not."""
        return f"{self.app}-admin"

    @property
    def database(self) -> str:
        return f"{self.app}-db"

    @property
    def database_host(self) -> str:
        """Where the primary is, whichever it is (CloudNativePG)."""
        return f"{self.database}-rw"

    @property
    def sessions(self) -> str:
        return f"{self.app}-sessions"

    @property
    def release(self) -> str:
        """What tells one release's jobs from another's: the image's tag or digest, as a name may say it."""
        last = self.image.rpartition("/")[2].replace("@", ":").rpartition(":")[2]
        return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")[:20] or "latest"


def named(cluster: Cluster, kind: str, api: str, name: str, spec: Mapping[str, Any], *, of: str) -> Manifest:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": cluster.namespace, "labels": labels_of(cluster, of)},
        "spec": dict(spec),
    }


def labels_of(cluster: Cluster, of: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": cluster.app, "app.kubernetes.io/component": of}


def as_user(uid: int) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
