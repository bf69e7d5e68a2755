"""The sign-in contract: every case passes on a sound app and fails on the one with its defect.

Covers: oauth_accounts, oauth_binding, oauth_browser, oauth_keys, oauth_outage, oauth_refusals,
oauth_scene.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import OauthClient
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes import oauth_browser, oauth_keys, oauth_scene
from shipworthy.gauntlet.probes.oauth import CASES
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.relying_app import SIGN_IN, RunningRelying, relying_running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for and counted in a run is small here; what is judged stays the same."""
    monkeypatch.setattr(oauth_scene, "_RETRY_S", 0.01)
    monkeypatch.setattr(oauth_browser, "CLEAN_WITHIN_S", 3.0)
    monkeypatch.setitem(oauth_keys.STORM, "quick", 20)


async def ask(
    running: RunningRelying, case: str | None = None, *, mode: Any = "quick", **changes: Any
) -> dict[str, Finding]:
    """Run the check as the examiner would, on one case or all; findings by case."""
    oauth: OauthClient = replace(SIGN_IN, **changes)
    target = replace(running.target, manifest=replace(running.target.manifest, oauth=(oauth,)))
    exam = Exam(target, running, mode=mode, provider=running.stub)
    check = check_named("oauth.contract")
    exam.begin(PlannedCheck(check=check, subject=case and f"acme.{case}"))
    try:
        findings = list(await check.run(exam))
    finally:
        assert await exam.heal() == []
        await exam.close()
    return {name.partition(".")[2]: finding for name, finding in by_subject(findings).items()}


async def test_a_sound_app_passes_every_case_in_both_modes() -> None:
    async with relying_running() as running:
        quick = await ask(running)
    async with relying_running(cooldown_s=0.0) as running:
        more = [case.name for case, _ in CASES if "quick" not in case.modes]
        full = {name: (await ask(running, name, mode="full"))[name] for name in more}
    found = {**quick, **full}
    assert {n: (f.verdict, f.cause) for n, f in found.items() if f.verdict is not Verdict.PASS} == {}
    assert list(found) == [case.name for case, _ in CASES]


@pytest.mark.parametrize(
    ("defect", "case"),
    [
        ("accepts_alg_none", "alg_none"),
        ("believes_alg", "hs256_public_key"),
        ("no_signature_check", "bad_signature"),
        ("no_signature_check", "unknown_kid"),
        ("tries_every_key", "wrong_kid"),
        ("no_iss_check", "wrong_iss"),
        ("no_aud_check", "wrong_aud"),
        ("no_nonce_check", "wrong_nonce"),
        ("no_nonce_check", "no_nonce"),
        ("no_exp_check", "expired"),
        ("hour_of_leeway", "expired_61_s"),
        ("no_nbf_check", "not_yet_valid"),
        ("hour_of_leeway", "not_yet_valid_61_s"),
        ("no_leeway", "clock_30_s_ahead"),
        ("no_state", "wrong_state"),
        ("no_state", "no_state"),
        ("no_state", "state_bound"),
        ("any_state", "state_bound"),
        ("no_iss_param_check", "wrong_iss_param"),
        ("no_iss_param_check", "no_iss_param"),
        ("follows_jku", "jku"),
        ("fetches_jku", "jku"),
        ("follows_x5u", "x5u"),
        ("takes_embedded_jwk", "embedded_jwk"),
        ("links_by_address", "email_unverified"),
        ("links_unless_denied", "email_unsaid"),
        ("links_verified_address", "email_of_another"),
        ("believes_userinfo", "foreign_userinfo"),
        ("reads_for_every_kid", "key_storm"),
        ("waits_forever", "slow"),
        ("crashes", "unavailable"),
        ("crashes", "not_json"),
        ("crashes", "truncated"),
        ("crashes", "huge"),
        ("crashes", "redirect_loop"),
        ("crashes", "refused"),
        ("guessable_state", "request"),
        ("plain_pkce", "good"),
    ],
)
async def test_a_defect_is_found_by_its_case(defect: str, case: str) -> None:
    async with relying_running(defect) as running:
        found = (await ask(running, case))[case]
    assert found.verdict is Verdict.FAIL, found
    assert found.fix
    assert found.evidence


@pytest.mark.parametrize("case", ["rotated", "rotated_kept", "thousand_keys"])
async def test_an_app_that_never_reads_the_keys_again_is_lost_at_a_rotation(
    monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    async with relying_running("never_reads_again") as running:
        assert (await ask(running, "good"))["good"].verdict is Verdict.PASS
        monkeypatch.setattr(oauth_scene, "RECOVERY_S", 0.0)
        monkeypatch.setattr(oauth_keys, "RECOVERY_S", 0.0)
        found = (await ask(running, case, mode="full"))[case]
    assert found.verdict is Verdict.FAIL
    assert "nobody can sign in" in found.title


async def test_a_refusal_of_an_app_that_refuses_everybody_counts_for_nothing() -> None:
    async with relying_running() as running:
        running.app.env["CLIENT_SECRET"] = "wrong"
        found = await ask(running)
    assert found["good"].verdict is Verdict.FAIL
    passed = {name for name, finding in found.items() if finding.verdict is Verdict.PASS}
    assert passed == {"request"}


async def test_no_conclusion_is_drawn_where_the_proof_proves_nothing() -> None:
    async with relying_running("always_in") as running:
        found = (await ask(running, "good"))["good"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not signed in" in found.cause


async def test_an_app_without_nonce_is_not_accused_of_ignoring_it() -> None:
    async with relying_running("sends_no_nonce") as running:
        found = await ask(running)
    measured = {name for name, finding in found.items() if finding.verdict is Verdict.NOT_MEASURED}
    assert measured == {"wrong_nonce", "no_nonce"}


async def test_userinfo_is_compared_by_an_app_that_asks_it() -> None:
    async with relying_running("asks_userinfo") as running:
        found = (await ask(running, "foreign_userinfo"))["foreign_userinfo"]
    assert found.verdict is Verdict.PASS
    assert "refused" in found.title


async def test_without_a_password_account_there_is_nothing_to_take_over() -> None:
    async with relying_running() as running:
        running.handle = replace(running.handle, tenants=())
        found = (await ask(running, "email_unverified"))["email_unverified"]
    assert found.verdict is Verdict.NOT_MEASURED


async def test_accounts_that_cannot_be_told_apart_are_inconclusive() -> None:
    async with relying_running("links_by_address") as running:
        for identity in ("", "no.such"):
            found = (await ask(running, "email_of_another", identity=identity))["email_of_another"]
            assert found.verdict is Verdict.INCONCLUSIVE
            assert "cannot be told apart" in found.cause


async def test_an_account_may_be_named_by_its_address_alone() -> None:
    for defects, verdict in (
        (("shows_address", "links_by_address"), Verdict.FAIL),
        (("shows_address",), Verdict.PASS),
    ):
        async with relying_running(*defects) as running:
            found = (await ask(running, "email_of_another", identity=""))["email_of_another"]
            assert found.verdict is verdict


async def test_a_start_that_leads_elsewhere_is_inconclusive_with_where_it_led() -> None:
    async with relying_running() as running:
        found = (await ask(running, "alg_none", start="GET /me"))["alg_none"]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "did not send the browser to the provider" in found.cause


async def test_a_refusal_by_a_crash_is_a_failure_of_low_grade() -> None:
    async with relying_running("crashes_on_refusal") as running:
        found = (await ask(running, "alg_none"))["alg_none"]
    assert (found.verdict, found.severity) == (Verdict.FAIL, Severity.LOW)
    assert "crashed" in found.cause


async def test_beginning_while_the_provider_is_down_must_be_answered() -> None:
    async with relying_running("forgets_discovery") as running:
        assert (await ask(running, "down_at_start"))["down_at_start"].verdict is Verdict.PASS
