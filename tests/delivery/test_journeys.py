"""The manifest's objectives become the journeys that are judged."""

from __future__ import annotations

import re

from shipworthy.contract.manifest import Journey, Manifest, Route, Slo, Step
from shipworthy.delivery.journeys import journeys_of, probes_of

MANIFEST = Manifest(
    app="toy",
    slos=(
        Slo(name="login", quantile=0.95, threshold_ms=200),
        Slo(name="page", quantile=0.95, threshold_ms=150),
    ),
    routes=(
        Route(name="a", room="auth", method="POST", path="/login", slo="login", auth="public"),
        Route(name="b", room="x", method="GET", path="/api/things/{thing_id}.json", slo="page"),
        Route(name="c", room="x", method="GET", path="/help", auth="public", effect="read"),
        Route(name="d", room="x", method="GET", path="/help/{topic}", auth="public", effect="read"),
        Route(name="e", room="x", method="GET", path="/secret"),
    ),
    journeys=(
        Journey(name="visit", slo="page", rate_per_s=1, steps=(Step(method="GET", path="/", host="site"),)),
    ),
)


def test_each_route_with_an_objective_is_a_journey_and_a_sites_pages_are_one() -> None:
    login, thing, pages = journeys_of(MANIFEST)
    assert (login.method, login.path, login.threshold_ms, login.host) == ("POST", "/login", 200, "console")
    assert re.fullmatch(thing.path, "/api/things/17.json")
    assert not re.fullmatch(thing.path, "/api/things/17/x.json")
    assert not re.fullmatch(thing.path, "/api/things/17xjson")
    assert (pages.name, pages.method, pages.path, pages.host) == ("page", "GET", ".*", "site")


def test_only_what_anybody_may_look_at_is_probed() -> None:
    assert probes_of(MANIFEST) == ("/help",)
