"""What keeps an app's data in a cluster: PostgreSQL by CloudNativePG, Valkey for sessions. Pure, as kubernetes.py."""

from __future__ import annotations

from shipworthy.delivery.cluster import LOCKED, Cluster, Manifest, as_user, labels_of, named
from shipworthy.delivery.image import VALKEY, VALKEY_SERVES

_INSTANCES = 3
_VALKEY_UID = 999  # its image's own


def stores_of(cluster: Cluster) -> tuple[Manifest, ...]:
    """Return the manifests of what the cluster is to keep; none where the secrets lead elsewhere."""
    return (*_database(cluster), *_sessions(cluster))


def _database(cluster: Cluster) -> tuple[Manifest, ...]:
    """PostgreSQL as CloudNativePG keeps it: what was committed is on two machines."""
    if not cluster.database_gib:
        return ()
    spec = {
        "instances": _INSTANCES,
        "enableSuperuserAccess": True,
        "superuserSecret": {"name": f"{cluster.database}-superuser"},
        "bootstrap": {"initdb": {"database": cluster.app, "owner": "app_owner", "dataChecksums": True}},
        "storage": {"size": f"{cluster.database_gib}Gi"},
        "postgresql": {
            "synchronous": {"method": "any", "number": 1},
            "parameters": {"pg_stat_statements.max": "10000", "pg_stat_statements.track": "all"},
        },
    }
    return (named(cluster, "Cluster", "postgresql.cnpg.io/v1", cluster.database, spec, of="database"),)


def _sessions(cluster: Cluster) -> tuple[Manifest, ...]:
    """Valkey, for sessions and limits: one, with its log on a volume, and reached by web and worker alone."""
    if not cluster.has_valkey:
        return ()
    labels = labels_of(cluster, "sessions")
    port = {"name": "valkey", "containerPort": 6379}
    container = {
        "name": "valkey",
        "image": VALKEY,
        "command": ["sh", "-c", VALKEY_SERVES],
        "envFrom": [{"secretRef": {"name": cluster.sessions}}],
        "ports": [port],
        "readinessProbe": {"tcpSocket": {"port": "valkey"}, "periodSeconds": 5},
        "securityContext": LOCKED,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": as_user(_VALKEY_UID),
        "containers": [container],
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    kept = {
        "replicas": 1,
        "serviceName": cluster.sessions,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        "volumeClaimTemplates": [claim],
    }
    service = {"selector": labels, "ports": [{"name": "valkey", "port": 6379, "targetPort": "valkey"}]}
    ours = [{"podSelector": {"matchLabels": labels_of(cluster, of)}} for of in ("web", "worker")]
    reached = {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": ours, "ports": [{"port": 6379}]}],
    }
    return (
        named(cluster, "Service", "v1", cluster.sessions, service, of="sessions"),
        named(cluster, "NetworkPolicy", "networking.k8s.io/v1", cluster.sessions, reached, of="sessions"),
        named(cluster, "StatefulSet", "apps/v1", cluster.sessions, kept, of="sessions"),
    )
