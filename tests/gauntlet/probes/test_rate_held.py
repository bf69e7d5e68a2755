"""The rate a machine holds is stated with its arithmetic: held, not held, or not to be had here."""

from __future__ import annotations

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.load.search import Found, Try
from shipworthy.gauntlet.probes.rate_held import (
    Asked,
    first_guess,
    limit_of,
    never_held,
    rate_finding,
    rate_to_judge,
)
from shipworthy.judge.capacity import Cost, capacity
from tests.gauntlet.conftest import check_named
from tests.support.spiked_app import SpikedApp

ASKED = Asked(rate_per_s=500.0, what="sign-ins", mix="password 10")
COSTS = [Cost(name="password", cpu_ms=25.0, share=1.0)]
BROKEN = Found(rate_per_s=60.0, tries=(Try(rate_per_s=70.0, is_held=False, note="p95 400 ms"),))
WHOLE = Found(rate_per_s=500.0, tries=(Try(rate_per_s=500.0, is_held=True),))


def test_a_rate_no_machine_of_this_size_could_hold_is_not_the_apps_failure() -> None:
    exam = SpikedApp(base_url="http://127.0.0.1:1").exam(check_named("load.auth_spike"))
    short = rate_finding(exam, ASKED, BROKEN, capacity(COSTS, cores=2), COSTS)
    assert short.verdict is Verdict.NOT_MEASURED
    assert "need 16 cores" in short.cause
    assert "p95 400 ms" in short.cause
    assert rate_finding(exam, ASKED, BROKEN, capacity(COSTS, cores=64), COSTS).verdict is Verdict.FAIL
    assert rate_finding(exam, ASKED, WHOLE, None, ()).verdict is Verdict.PASS


def test_a_rate_that_broke_while_the_generator_was_late_is_undecided_and_not_the_apps_failure() -> None:
    exam = SpikedApp(base_url="http://127.0.0.1:1").exam(check_named("load.auth_spike"))
    for is_certain, verdict in ((True, Verdict.FAIL), (False, Verdict.INCONCLUSIVE)):
        broken = Try(rate_per_s=70.0, is_held=False, note="p95 400 ms", is_certain=is_certain)
        held = rate_finding(exam, ASKED, Found(rate_per_s=60.0, tries=(broken,)), None, ())
        never = never_held(exam, "password", ASKED, Found(rate_per_s=0.0, tries=(broken,)))
        assert (held.verdict, never.verdict) == (verdict, verdict)
        assert ("generator itself was late" in held.cause) is not is_certain


def test_objectives_are_judged_at_the_asked_rate_or_well_below_the_limit() -> None:
    assert rate_to_judge(ASKED, WHOLE) == 500.0
    assert rate_to_judge(ASKED, BROKEN) < 60.0
    assert first_guess(ASKED, capacity(COSTS, cores=2)) < 80.0
    assert first_guess(ASKED, None) == 125.0
    assert limit_of(()) is None
