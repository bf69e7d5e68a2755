"""Which requests are judged together, by the app's manifest: every objective is a journey."""

from __future__ import annotations

import re

from shipworthy.contract.manifest import Manifest
from shipworthy.delivery.fleet import Journey

# Of Envoy's program for a path; a manifest has far shorter ones.
_PATH_CHARS_MAX = 500


def journeys_of(manifest: Manifest) -> tuple[Journey, ...]:
    """Return a journey for each declared route with an objective, and one for a site's pages.

    Several routes may be of one objective: they are one journey with several patterns.
    """
    thresholds_ms = {slo.name: slo.threshold_ms for slo in manifest.slos}
    found = [
        Journey(
            name=route.slo,
            threshold_ms=thresholds_ms[route.slo],
            method=route.method,
            path=_pattern(route.path),
            host=route.host,
        )
        for route in manifest.routes
        if route.slo in thresholds_ms and route.slo is not None and len(route.path) <= _PATH_CHARS_MAX
    ]
    pages = next(
        (
            journey.slo
            for journey in manifest.journeys
            if journey.slo in thresholds_ms and any(step.host == "site" for step in journey.steps)
        ),
        None,
    )
    if pages:
        found.append(Journey(name=pages, threshold_ms=thresholds_ms[pages], method="GET", host="site"))
    return tuple(found)


def probes_of(manifest: Manifest) -> tuple[str, ...]:
    """Return the paths anybody may look at without changing anything: what a quiet canary is asked for."""
    return tuple(
        route.path
        for route in manifest.routes
        if route.method == "GET"
        and route.auth == "public"
        and route.host == "console"
        and route.effect == "read"
        and "{" not in route.path
    )


def _pattern(path: str) -> str:
    return "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path))  # fmt: skip
