"""What a cluster is told: the web as a Rollout that Argo moves step by step, judged by our judge; the rest beside it.

Pure: facts in, manifests out, in the order they are applied. The weights are Gateway API's, moved by Argo's plugin;
each version's pods carry its arm as a label, so that the judge can ask each version's own processes for counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipworthy.delivery.cluster import LOCKED, Cluster, Manifest, as_user, labels_of, named
from shipworthy.delivery.image import DRAIN_S, PORT, STATE_MIB, TEMP_MIB, UID
from shipworthy.delivery.stores import stores_of

COUNTERS_PORT = 9102
ARM_LABEL = "shipworthy-arm"
_STEP_PAUSE_S = 30
_JUDGE_PATIENCE = "30m"
_PLUGIN = "argoproj-labs/gatewayAPI"
_WEB_CPU = "500m"  # what a web process is promised, and what the autoscaler counts from
_CPU_SHARE_MAX = 70  # percent of that; above four fifths of a core the wait grows faster than the load
_SCALE_DOWN_S = 300


def manifests_of(cluster: Cluster) -> dict[str, tuple[Manifest, ...]]:
    """Return the files to apply, in their order, each with its manifests.

    The worker and the contract migrations are of the new version, so they come when it serves alone.
    """
    stores = stores_of(cluster)
    return {
        **({"00-stores.yaml": stores} if stores else {}),
        "10-expand.yaml": (_nobody_reaches(cluster, "migrate"), _migration(cluster, "expand", "pre")),
        "20-web.yaml": (
            *_services(cluster),
            _route(cluster),
            _judge(cluster),
            _counters_kept_in(cluster),
            _nobody_reaches(cluster, "judge"),
            _rollout(cluster),
            _scaled(cluster),
            _kept_while_moved(cluster, "web"),
        ),
        "30-worker.yaml": (
            _nobody_reaches(cluster, "worker"),
            _worker(cluster),
            _kept_while_moved(cluster, "worker"),
        ),
        "40-contract.yaml": (_migration(cluster, "contract", "post"),),
    }


def _services(cluster: Cluster) -> tuple[Manifest, ...]:
    """Stable and canary, whose selectors Argo narrows; and, without a common address, each arm's processes."""
    web = {
        "selector": labels_of(cluster, "web"),
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    }
    found = [
        named(cluster, "Service", "v1", f"{cluster.app}-{arm}", web, of="web") for arm in ("stable", "canary")
    ]
    for arm in ("stable", "canary"):
        spec = {
            "clusterIP": "None",
            "selector": {**labels_of(cluster, "web"), ARM_LABEL: arm},
            "ports": [{"name": "counters", "port": COUNTERS_PORT, "targetPort": "counters"}],
        }
        found.append(named(cluster, "Service", "v1", f"{cluster.app}-{arm}-counters", spec, of="web"))
    return tuple(found)


def _route(cluster: Cluster) -> Manifest:
    weights = {"stable": 100, "canary": 0}  # Argo's from then on
    backends = [
        {"name": f"{cluster.app}-{arm}", "port": 80, "weight": weight} for arm, weight in weights.items()
    ]
    spec = {
        "parentRefs": [{"name": cluster.gateway}],
        "hostnames": list(cluster.hosts),
        "rules": [{"backendRefs": backends}],
    }
    return named(cluster, "HTTPRoute", "gateway.networking.k8s.io/v1", cluster.app, spec, of="web")


def _judge(cluster: Cluster) -> Manifest:
    """One job, which ends when it is decided: 0 lets the rollout go on, anything else takes the version back."""
    asked = [
        f"--{arm}=http://{cluster.app}-{name}-counters:{COUNTERS_PORT}/-/metrics"
        for arm, name in (("canary", "canary"), ("baseline", "stable"))
    ]
    container = _container(
        cluster, "judge", ["canary", "judge", *asked, f"--patience={_JUDGE_PATIENCE}"], needs_secret=False
    )
    pod = {"metadata": {"labels": labels_of(cluster, "judge")}, "spec": _pod([container], restart="Never")}
    job = {"backoffLimit": 0, "ttlSecondsAfterFinished": 86_400, "template": pod}
    spec = {
        "metrics": [
            {"name": "r4", "count": 1, "failureLimit": 0, "provider": {"job": {"spec": job}}},
        ]
    }
    return named(
        cluster, "AnalysisTemplate", "argoproj.io/v1alpha1", f"{cluster.app}-judge", spec, of="judge"
    )


def _nobody_reaches(cluster: Cluster, of: str) -> Manifest:
    """It asks others; nobody asks it."""
    spec = {"podSelector": {"matchLabels": labels_of(cluster, of)}, "policyTypes": ["Ingress"], "ingress": []}
    return named(cluster, "NetworkPolicy", "networking.k8s.io/v1", f"{cluster.app}-{of}", spec, of=of)


def _kept_while_moved(cluster: Cluster, of: str) -> Manifest:
    """A node that is emptied takes one pod at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": labels_of(cluster, of)}}
    return named(cluster, "PodDisruptionBudget", "policy/v1", f"{cluster.app}-{of}", spec, of=of)


def _scaled(cluster: Cluster) -> Manifest:
    """As many web processes as the load needs. The counters beside them are not counted."""
    target = {"type": "Utilization", "averageUtilization": _CPU_SHARE_MAX}
    spec = {
        "scaleTargetRef": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "name": f"{cluster.app}-web",
        },
        "minReplicas": cluster.replicas,
        "maxReplicas": cluster.replicas_max,
        "metrics": [
            {
                "type": "ContainerResource",
                "containerResource": {"name": "cpu", "container": "web", "target": target},
            }
        ],
        # Up at once, down only after the peak: a pod that goes takes its warm caches along.
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": _SCALE_DOWN_S}},
    }
    return named(cluster, "HorizontalPodAutoscaler", "autoscaling/v2", f"{cluster.app}-web", spec, of="web")


def _counters_kept_in(cluster: Cluster) -> Manifest:
    """Visitors reach the web's port; its counters are the judge's alone."""
    spec = {
        "podSelector": {"matchLabels": labels_of(cluster, "web")},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [{"port": PORT}]},
            {
                "from": [{"podSelector": {"matchLabels": labels_of(cluster, "judge")}}],
                "ports": [{"port": COUNTERS_PORT}],
            },
        ],
    }
    return named(cluster, "NetworkPolicy", "networking.k8s.io/v1", f"{cluster.app}-web", spec, of="web")


def _rollout(cluster: Cluster) -> Manifest:
    labels, judged = labels_of(cluster, "web"), {"templates": [{"templateName": f"{cluster.app}-judge"}]}
    canary = {
        "canaryService": f"{cluster.app}-canary",
        "stableService": f"{cluster.app}-stable",
        "canaryMetadata": {"labels": {ARM_LABEL: "canary"}},
        "stableMetadata": {"labels": {ARM_LABEL: "stable"}},
        "maxSurge": 1,
        "maxUnavailable": 0,
        "trafficRouting": {"plugins": {_PLUGIN: {"httpRoute": cluster.app, "namespace": cluster.namespace}}},
        # Watches from the first weight on; the last step waits for a judgement of its own.
        "analysis": {**judged, "startingStep": 1},
        "steps": _steps(cluster.weights, judged),
    }
    spec = {  # how many there are is the autoscaler's
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 600,
        "progressDeadlineAbort": True,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": _web(cluster)},
        "strategy": {"canary": canary},
    }
    return named(cluster, "Rollout", "argoproj.io/v1alpha1", f"{cluster.app}-web", spec, of="web")


def _steps(weights: Sequence[int], judged: Mapping[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for weight in weights[:-1]:
        steps += [{"setWeight": weight}, {"pause": {"duration": f"{_STEP_PAUSE_S}s"}}]
    return [*steps[:-1], {"analysis": dict(judged)}] if steps else [{"analysis": dict(judged)}]


def _web(cluster: Cluster) -> dict[str, Any]:
    web = _container(cluster, "web", ["serve", "--host=0.0.0.0", f"--port={PORT}"], cpu=_WEB_CPU)
    web |= {
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": _asked("/-/readyz", period_s=5),
        "livenessProbe": _asked("/-/healthz", period_s=10),
        # Until the gateway has heard that it goes.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
    }
    counters = _container(
        cluster,
        "counters",
        [
            "canary",
            "expose",
            "--host=0.0.0.0",
            f"--port={COUNTERS_PORT}",
            f"--of=http://127.0.0.1:{PORT}/-/metrics",
        ],
        needs_secret=False,
        memory_mib=128,
    )
    counters["ports"] = [{"name": "counters", "containerPort": COUNTERS_PORT}]
    return {**_pod([web, counters], restart="Always"), "terminationGracePeriodSeconds": DRAIN_S}


def _asked(path: str, *, period_s: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": period_s, "timeoutSeconds": 3}


def _worker(cluster: Cluster) -> Manifest:
    labels = labels_of(cluster, "worker")
    spec = {
        "replicas": 1,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                **_pod([_container(cluster, "worker", ["work"], memory_mib=1024)], restart="Always"),
                "terminationGracePeriodSeconds": DRAIN_S,
            },
        },
    }
    return named(cluster, "Deployment", "apps/v1", f"{cluster.app}-worker", spec, of="worker")


def _migration(cluster: Cluster, name: str, phase: str) -> Manifest:
    """A job for each release; one that failed is not tried again by itself: a person looks first."""
    container = _container(cluster, "migrate", ["migrate", "up", "--prepare", f"--phase={phase}"])
    container["envFrom"].append({"secretRef": {"name": cluster.admin_secret}})
    pod = _pod([container], restart="Never")
    spec = {
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": 7 * 86_400,
        "template": {"metadata": {"labels": labels_of(cluster, "migrate")}, "spec": pod},
    }
    return named(cluster, "Job", "batch/v1", f"{cluster.app}-{name}-{cluster.release}", spec, of="migrate")


def _pod(containers: list[dict[str, Any]], *, restart: str) -> dict[str, Any]:
    return {
        "restartPolicy": restart,
        "automountServiceAccountToken": False,  # nothing of ours asks the cluster for anything
        "securityContext": as_user(UID),
        "containers": containers,
        "volumes": [
            {"name": "state", "emptyDir": {"sizeLimit": f"{STATE_MIB}Mi"}},
            {"name": "temp", "emptyDir": {"sizeLimit": f"{TEMP_MIB}Mi"}},
        ],
    }


def _container(
    cluster: Cluster,
    name: str,
    arguments: Sequence[str],
    *,
    needs_secret: bool = True,
    cpu: str = "100m",
    memory_mib: int = 512,
) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": name,
        "image": cluster.image,
        "command": ["shipworthy", *arguments],
        "env": [{"name": "SHIPWORTHY_STATE", "value": "/state"}],
        "securityContext": LOCKED,
        "resources": {
            "requests": {"cpu": cpu, "memory": "128Mi"},
            "limits": {"memory": f"{memory_mib}Mi"},
        },
        "volumeMounts": [
            {"name": "state", "mountPath": "/state"},
            {"name": "temp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
        ],
    }
    if needs_secret:
        container["envFrom"] = [{"secretRef": {"name": cluster.secret}}]
    return container
