"""What a cluster is told holds against the published schemas, strictly, and its parts find one another.

Covers: cluster, stores, yaml.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from shipworthy.delivery.cluster import Cluster, Manifest
from shipworthy.delivery.kubernetes import ARM_LABEL, manifests_of
from shipworthy.delivery.yaml import written

CLUSTER = Cluster(app="shop", image="registry.example:5000/shop:v7", hosts=("shop.example",), gateway="edge")
WHOLE = replace(CLUSTER, database_gib=20, has_valkey=True)
PUBLISHED = json.loads((Path(__file__).parent / "schemas" / "published.json").read_text())


def all_of(cluster: Cluster = CLUSTER) -> list[Manifest]:
    return [manifest for file in manifests_of(cluster).values() for manifest in file]


def one(kind: str, name: str) -> Manifest:
    (found,) = [m for m in all_of(WHOLE) if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def complaints(manifest: Manifest) -> list[str]:
    schema = {
        **PUBLISHED["kinds"][f"{manifest['apiVersion']} {manifest['kind']}"],
        "definitions": PUBLISHED["definitions"],
    }
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(manifest)]


def pods_of(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Every pod's template in a manifest, wherever it stands."""
    if manifest["kind"] == "AnalysisTemplate":
        yield from (metric["provider"]["job"]["spec"]["template"] for metric in manifest["spec"]["metrics"])
    elif "template" in manifest["spec"]:
        yield manifest["spec"]["template"]


def test_every_manifest_holds_against_its_published_schema_and_so_does_every_pod() -> None:
    kinds = {manifest["kind"] for manifest in all_of(WHOLE)}
    assert kinds == {
        "AnalysisTemplate",
        "Cluster",
        "Deployment",
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "Job",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Rollout",
        "Service",
        "StatefulSet",
    }
    assert {m["metadata"]["name"]: complaints(m) for m in all_of(WHOLE) if complaints(m)} == {}
    pod = Draft7Validator({**PUBLISHED["pod"], "definitions": PUBLISHED["definitions"]})
    pods = [pod for manifest in all_of(WHOLE) for pod in pods_of(manifest)]
    assert len(pods) == 6
    for each in pods:
        assert list(pod.iter_errors(each)) == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Rollout", "shop-web", ("spec", "strategy", "canary", "step"), []),
        ("Rollout", "shop-web", ("spec", "strategy", "canary", "steps", 0, "setWeight"), "1"),
        ("HTTPRoute", "shop", ("spec", "rules", 0, "backendRefs", 0, "port"), 70_000),
        ("Service", "shop-stable", ("spec", "port"), 80),
        ("Job", "shop-expand-v7", ("spec", "template", "spec", "containers", 0, "comand"), []),
        ("AnalysisTemplate", "shop-judge", ("spec", "metrics", 0, "provider", "jobs"), {}),
        ("HorizontalPodAutoscaler", "shop-web", ("spec", "metrics", 0, "containerResource", "cpu"), 1),
        ("PodDisruptionBudget", "shop-worker", ("spec", "maxUnavailible"), 1),
        ("Cluster", "shop-db", ("spec", "storage", "gib"), 20),
        ("StatefulSet", "shop-sessions", ("spec", "template", "spec", "containers", 0, "comand"), []),
    ],
)
def test_the_schemas_are_not_blind(kind: str, name: str, path: tuple[Any, ...], value: object) -> None:
    wrong = copy.deepcopy(one(kind, name))
    *way, last = path
    place: Any = wrong
    for step in way:
        place = place[step]
    place[last] = value
    assert complaints(wrong)


def test_what_is_written_is_read_the_same() -> None:
    for manifests in manifests_of(CLUSTER).values():
        assert tuple(yaml.safe_load_all(written(manifests))) == manifests
    odd: Manifest = {
        "a": "yes",
        "b": ["n", "", "1e3", {"c": [], "d": {}}],
        "e": None,
        "f": {"g": True, "h": 'x: "#'},
    }
    assert list(yaml.safe_load_all(written([odd]))) == [odd]


def test_the_weights_go_up_and_the_last_one_waits_for_a_judgement() -> None:
    canary = one("Rollout", "shop-web")["spec"]["strategy"]["canary"]
    assert [step["setWeight"] for step in canary["steps"] if "setWeight" in step] == [1, 5, 25, 50]
    assert canary["steps"][-2:] == [
        {"setWeight": 50},
        {"analysis": {"templates": [{"templateName": "shop-judge"}]}},
    ]
    assert canary["analysis"]["startingStep"] == 1
    at_once = next(m for m in all_of(replace(CLUSTER, weights=(100,))) if m["kind"] == "Rollout")
    assert [list(step) for step in at_once["spec"]["strategy"]["canary"]["steps"]] == [["analysis"]]


def test_every_name_that_is_meant_is_there() -> None:
    services = {m["metadata"]["name"]: m["spec"] for m in all_of() if m["kind"] == "Service"}
    canary = one("Rollout", "shop-web")["spec"]["strategy"]["canary"]
    route = one("HTTPRoute", "shop")
    assert {canary["canaryService"], canary["stableService"]} <= set(services)
    assert [b["name"] for b in route["spec"]["rules"][0]["backendRefs"]] == ["shop-stable", "shop-canary"]
    assert [b["weight"] for b in route["spec"]["rules"][0]["backendRefs"]] == [100, 0]
    assert canary["trafficRouting"]["plugins"]["argoproj-labs/gatewayAPI"]["httpRoute"] == "shop"
    # The judge asks each arm's own processes, and they are found by the label that Argo gives the arm's pods.
    judge = next(pods_of(one("AnalysisTemplate", "shop-judge")))["spec"]["containers"][0]["command"]
    assert judge[:3] == ["shipworthy", "canary", "judge"]
    for arm, named in (("canary", "--canary"), ("stable", "--baseline")):
        (asked,) = [word for word in judge if word.startswith(named)]
        name, _, port = asked.partition("http://")[2].partition("/")[0].partition(":")
        assert services[name]["selector"][ARM_LABEL] == arm == canary[f"{arm}Metadata"]["labels"][ARM_LABEL]
        assert services[name]["clusterIP"] == "None" and str(services[name]["ports"][0]["port"]) == port
    web = next(pods_of(one("Rollout", "shop-web")))
    assert web["metadata"]["labels"].items() <= services["shop-stable"]["selector"].items()
    ports = {
        port["name"]: port["containerPort"] for c in web["spec"]["containers"] for port in c.get("ports", [])
    }
    assert ports == {"http": 8000, "counters": 9102}


def test_counters_are_the_judges_alone_and_no_pod_has_more_than_it_needs() -> None:
    policy = one("NetworkPolicy", "shop-web")["spec"]
    (to_counters,) = [rule for rule in policy["ingress"] if rule["ports"][0]["port"] == 9102]
    judge = next(pods_of(one("AnalysisTemplate", "shop-judge")))
    assert to_counters["from"] == [{"podSelector": {"matchLabels": judge["metadata"]["labels"]}}]
    for pod in (pod for manifest in all_of(WHOLE) for pod in pods_of(manifest)):
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            has_secret = "envFrom" in container
            assert has_secret == (container["name"] not in ("judge", "counters")), container["name"]


@pytest.mark.parametrize(
    ("image", "release"),
    [("r/shop:v7", "v7"), ("r:5000/shop:2026.11_1", "2026-11-1"), ("r/shop@sha256:" + "ab" * 32, "ab" * 10)],
)
def test_a_releases_jobs_are_its_own(image: str, release: str) -> None:
    names = {m["metadata"]["name"] for m in all_of(replace(CLUSTER, image=image)) if m["kind"] == "Job"}
    assert names == {f"shop-expand-{release}", f"shop-contract-{release}"}


def test_only_what_migrates_knows_the_administrators_address() -> None:
    for pod in (pod for manifest in all_of(WHOLE) for pod in pods_of(manifest)):
        for container in pod["spec"]["containers"]:
            named = [source["secretRef"]["name"] for source in container.get("envFrom", [])]
            assert ("shop-admin" in named) == (container["name"] == "migrate"), container["name"]


def test_stores_are_written_only_where_the_cluster_keeps_them() -> None:
    assert "00-stores.yaml" not in manifests_of(CLUSTER)
    assert [m["kind"] for m in manifests_of(replace(CLUSTER, database_gib=5))["00-stores.yaml"]] == [
        "Cluster"
    ]
    assert [m["kind"] for m in manifests_of(replace(CLUSTER, has_valkey=True))["00-stores.yaml"]] == [
        "Service",
        "NetworkPolicy",
        "StatefulSet",
    ]


def test_the_autoscaler_counts_the_web_alone_and_decides_how_many_there_are() -> None:
    scaled = one("HorizontalPodAutoscaler", "shop-web")["spec"]
    web = one("Rollout", "shop-web")
    target = scaled["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (web["kind"], web["metadata"]["name"])
    assert "replicas" not in web["spec"], "applying it again must not undo what the autoscaler did"
    (metric,) = scaled["metrics"]
    names = [c["name"] for c in next(pods_of(web))["spec"]["containers"]]
    assert metric["containerResource"]["container"] == "web" in names
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (2, 10)


def test_what_nobody_should_reach_is_reached_by_nobody() -> None:
    policies = {m["metadata"]["name"]: m["spec"] for m in all_of(WHOLE) if m["kind"] == "NetworkPolicy"}
    for of in ("worker", "migrate", "judge"):
        assert policies[f"shop-{of}"]["ingress"] == []
    (rule,) = policies["shop-sessions"]["ingress"]
    asked = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in rule["from"]]
    assert asked == ["web", "worker"]
