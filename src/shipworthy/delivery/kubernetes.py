"""What a cluster is told: the web as a Rollout that Argo moves step by step, judged by our judge; the rest beside it.

Pure: facts in, manifests out, in the order they are applied. The weights are Gateway API's, moved by Argo's plugin;
each version's pods carry its arm as a label, so that the judge can ask each version's own processes for counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]
WEB_PORT, COUNTERS_PORT = 8000, 9102
ARM_LABEL = "shipworthy-arm"
_STEP_PAUSE_S = 30
_UID = 10_001  # the image's own user, see its recipe
_DRAIN_S = 45  # what the web gives its requests, and the moment until the gateway knows
_JUDGE_PATIENCE = "30m"
_PLUGIN = "argoproj-labs/gatewayAPI"
_TEMP_MIB, _STATE_MIB = 64, 512


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What is brought out, and where: `secret` holds the SHIPWORTHY_… variables of the installation."""

    app: str  # a DNS label
    image: str
    hosts: tuple[str, ...]
    gateway: str
    namespace: str = "default"
    replicas: int = 2
    weights: tuple[int, ...] = (1, 5, 25, 50, 100)

    @property
    def secret(self) -> str:
        return f"{self.app}-environment"

    @property
    def release(self) -> str:
        """What tells one release's jobs from another's: the image's tag or digest, as a name may say it."""
        last = self.image.rpartition("/")[2].replace("@", ":").rpartition(":")[2]
        return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")[:20] or "latest"


def manifests_of(cluster: Cluster) -> dict[str, tuple[Manifest, ...]]:
    """Return the files to apply, in their order, each with its manifests.

    The worker and the contract migrations are of the new version, so they come when it serves alone.
    """
    return {
        "10-expand.yaml": (_migration(cluster, "expand", "pre"),),
        "20-web.yaml": (
            *_services(cluster),
            _route(cluster),
            _judge(cluster),
            _counters_kept_in(cluster),
            _rollout(cluster),
        ),
        "30-worker.yaml": (_worker(cluster),),
        "40-contract.yaml": (_migration(cluster, "contract", "post"),),
    }


def _named(cluster: Cluster, kind: str, api: str, name: str, spec: Mapping[str, Any], *, of: str) -> Manifest:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": cluster.namespace, "labels": _labels(cluster, of)},
        "spec": dict(spec),
    }


def _labels(cluster: Cluster, of: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": cluster.app, "app.kubernetes.io/component": of}


def _services(cluster: Cluster) -> tuple[Manifest, ...]:
    """Stable and canary, whose selectors Argo narrows; and, without a common address, each arm's processes."""
    web = {"selector": _labels(cluster, "web"), "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    found = [
        _named(cluster, "Service", "v1", f"{cluster.app}-{arm}", web, of="web")
        for arm in ("stable", "canary")
    ]
    for arm in ("stable", "canary"):
        spec = {
            "clusterIP": "None",
            "selector": {**_labels(cluster, "web"), ARM_LABEL: arm},
            "ports": [{"name": "counters", "port": COUNTERS_PORT, "targetPort": "counters"}],
        }
        found.append(_named(cluster, "Service", "v1", f"{cluster.app}-{arm}-counters", spec, of="web"))
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
    return _named(cluster, "HTTPRoute", "gateway.networking.k8s.io/v1", cluster.app, spec, of="web")


def _judge(cluster: Cluster) -> Manifest:
    """One job, which ends when it is decided: 0 lets the rollout go on, anything else takes the version back."""
    asked = [
        f"--{arm}=http://{cluster.app}-{name}-counters:{COUNTERS_PORT}/-/metrics"
        for arm, name in (("canary", "canary"), ("baseline", "stable"))
    ]
    container = _container(
        cluster, "judge", ["canary", "judge", *asked, f"--patience={_JUDGE_PATIENCE}"], needs_secret=False
    )
    pod = {"metadata": {"labels": _labels(cluster, "judge")}, "spec": _pod([container], restart="Never")}
    job = {"backoffLimit": 0, "ttlSecondsAfterFinished": 86_400, "template": pod}
    spec = {
        "metrics": [
            {"name": "r4", "count": 1, "failureLimit": 0, "provider": {"job": {"spec": job}}},
        ]
    }
    return _named(
        cluster, "AnalysisTemplate", "argoproj.io/v1alpha1", f"{cluster.app}-judge", spec, of="judge"
    )


def _counters_kept_in(cluster: Cluster) -> Manifest:
    """Visitors reach the web's port; its counters are the judge's alone."""
    spec = {
        "podSelector": {"matchLabels": _labels(cluster, "web")},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [{"port": WEB_PORT}]},
            {
                "from": [{"podSelector": {"matchLabels": _labels(cluster, "judge")}}],
                "ports": [{"port": COUNTERS_PORT}],
            },
        ],
    }
    return _named(cluster, "NetworkPolicy", "networking.k8s.io/v1", f"{cluster.app}-web", spec, of="web")


def _rollout(cluster: Cluster) -> Manifest:
    labels, judged = _labels(cluster, "web"), {"templates": [{"templateName": f"{cluster.app}-judge"}]}
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
    spec = {
        "replicas": cluster.replicas,
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 600,
        "progressDeadlineAbort": True,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": _web(cluster)},
        "strategy": {"canary": canary},
    }
    return _named(cluster, "Rollout", "argoproj.io/v1alpha1", f"{cluster.app}-web", spec, of="web")


def _steps(weights: Sequence[int], judged: Mapping[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for weight in weights[:-1]:
        steps += [{"setWeight": weight}, {"pause": {"duration": f"{_STEP_PAUSE_S}s"}}]
    return [*steps[:-1], {"analysis": dict(judged)}] if steps else [{"analysis": dict(judged)}]


def _web(cluster: Cluster) -> dict[str, Any]:
    web = _container(cluster, "web", ["serve", "--host=0.0.0.0", f"--port={WEB_PORT}"])
    web |= {
        "ports": [{"name": "http", "containerPort": WEB_PORT}],
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
            f"--of=http://127.0.0.1:{WEB_PORT}/-/metrics",
        ],
        needs_secret=False,
        memory_mib=128,
    )
    counters["ports"] = [{"name": "counters", "containerPort": COUNTERS_PORT}]
    return {**_pod([web, counters], restart="Always"), "terminationGracePeriodSeconds": _DRAIN_S}


def _asked(path: str, *, period_s: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": period_s, "timeoutSeconds": 3}


def _worker(cluster: Cluster) -> Manifest:
    labels = _labels(cluster, "worker")
    spec = {
        "replicas": 1,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                **_pod([_container(cluster, "worker", ["work"], memory_mib=1024)], restart="Always"),
                "terminationGracePeriodSeconds": _DRAIN_S,
            },
        },
    }
    return _named(cluster, "Deployment", "apps/v1", f"{cluster.app}-worker", spec, of="worker")


def _migration(cluster: Cluster, name: str, phase: str) -> Manifest:
    """A job for each release; one that failed is not tried again by itself: a person looks first."""
    pod = _pod([_container(cluster, "migrate", ["migrate", "up", f"--phase={phase}"])], restart="Never")
    spec = {
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": 7 * 86_400,
        "template": {"metadata": {"labels": _labels(cluster, "migrate")}, "spec": pod},
    }
    return _named(cluster, "Job", "batch/v1", f"{cluster.app}-{name}-{cluster.release}", spec, of="migrate")


def _pod(containers: list[dict[str, Any]], *, restart: str) -> dict[str, Any]:
    return {
        "restartPolicy": restart,
        "automountServiceAccountToken": False,  # nothing of ours asks the cluster for anything
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _UID,
            "runAsGroup": _UID,
            "fsGroup": _UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers,
        "volumes": [
            {"name": "state", "emptyDir": {"sizeLimit": f"{_STATE_MIB}Mi"}},
            {"name": "temp", "emptyDir": {"sizeLimit": f"{_TEMP_MIB}Mi"}},
        ],
    }


def _container(
    cluster: Cluster, name: str, arguments: Sequence[str], *, needs_secret: bool = True, memory_mib: int = 512
) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": name,
        "image": cluster.image,
        "command": ["shipworthy", *arguments],
        "env": [{"name": "SHIPWORTHY_STATE", "value": "/state"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
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


def written(manifests: Sequence[Manifest]) -> str:
    """Return manifests as YAML: every text in quotes, so that none is read as something else."""
    return "---\n".join("\n".join(_block(manifest, "")) + "\n" for manifest in manifests)


def _block(value: Any, indent: str) -> list[str]:
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, one in value.items():
            if isinstance(one, (Mapping, list)) and one:
                lines += [f"{indent}{key}:", *_block(one, indent + "  ")]
            else:
                lines.append(f"{indent}{key}: {json.dumps(one)}")
        return lines
    for one in value:
        if isinstance(one, (Mapping, list)) and one:
            first, *rest = _block(one, indent + "  ")
            lines += [f"{indent}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{indent}- {json.dumps(one)}")
    return lines
