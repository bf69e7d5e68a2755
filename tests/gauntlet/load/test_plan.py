"""A plan that cannot or must not run is refused before anything is sent, with what to change."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shipworthy.contract.manifest import Journey, Step
from shipworthy.contract.strict import decode, encode
from shipworthy.gauntlet.load.plan import LoadPlan, PlanRefused, address_of, addresses, check
from tests.gauntlet.load.servers import plan_of

LOCAL = "http://127.0.0.1:8000"


def journey(**changes: object) -> Journey:
    return replace(plan_of(LOCAL).journeys[0], **changes)  # type: ignore[arg-type]


def test_a_sound_plan_is_accepted_and_survives_json() -> None:
    plan = plan_of(LOCAL, Step(method="POST", path="/x", json={"a": [1, {"b": "{uuid}"}]}), site_url=LOCAL)
    check(plan)
    assert decode(LoadPlan, json.loads(json.dumps(encode(plan)))) == plan


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"journeys": ()}, "no journey"),
        ({"blocks": 0}, "must be positive"),
        ({"block_s": 0.0}, "must be positive"),
        ({"arrivals_max": 10}, "arrivals_max 10"),
        ({"timeout_s": 0.4}, "raise timeout_s"),
        ({"journeys": (journey(slo="slow"),)}, "unknown SLO 'slow'"),
        ({"journeys": (journey(rate_per_s=0.0),)}, "above 0"),
        ({"journeys": (journey(steps=(Step(method="GET", path="/", measured=False),)),)}, "measures none"),
        ({"journeys": (journey(steps=(Step(method="GET", path="x"),)),)}, "no path"),
        ({"journeys": (journey(steps=(Step(method="GET", path="/a b"),)),)}, "encode spaces"),
        ({"journeys": (journey(login=True),)}, "how to sign in"),
    ],
)
def test_an_unsound_plan_is_refused_with_the_reason(changes: dict[str, object], says: str) -> None:
    with pytest.raises(PlanRefused, match=says):
        check(replace(plan_of(LOCAL), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80", "http://localhost:80", "http://acme.localhost", "http://[::1]:80"]
)
def test_this_machine_is_accepted(url: str) -> None:
    assert address_of(url, allow_remote=False).port == 80


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://10.0.0.1:8000", "http://localhost.example.com", "http://0.0.0.0:1"]
)
def test_another_machine_is_refused_unless_allowed(url: str) -> None:
    with pytest.raises(PlanRefused, match="not on this machine"):
        address_of(url, allow_remote=False)
    assert address_of(url, allow_remote=True).host


@pytest.mark.parametrize(
    ("url", "says"),
    [("ftp://localhost", "no address"), ("localhost:80", "no address"), ("http://localhost/app", "path")],
)
def test_what_the_engine_does_not_speak_is_refused(url: str, says: str) -> None:
    with pytest.raises(PlanRefused, match=says):
        address_of(url, allow_remote=False)


def test_a_subdomain_of_localhost_is_reached_on_loopback_under_its_own_name() -> None:
    found = addresses(plan_of("http://console.localhost:8000", site_url="http://acme.localhost:8001"))
    assert (found["console"].host, found["console"].authority) == ("127.0.0.1", "console.localhost:8000")
    assert (found["site"].host, found["site"].port) == ("127.0.0.1", 8001)
    assert found["site"].origin == "http://acme.localhost:8001"


def test_without_a_site_address_its_steps_go_to_the_console() -> None:
    found = addresses(plan_of(LOCAL))
    assert found["site"] == found["console"]


def test_the_time_a_load_may_take_is_bounded_by_its_steps() -> None:
    step = Step(method="GET", path="/")
    plan = plan_of(LOCAL, step, step, step, timeout_s=2.0, warmup_s=1.0)
    assert plan.duration_s == pytest.approx(1.5)
    assert plan.time_s_max == pytest.approx(7.5)
