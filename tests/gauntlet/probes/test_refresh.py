"""auth.refresh_rotation: a sound token app passes all four questions, each defect fails its own.

Covers: token_pairs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, Route, Tokens
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck, plan
from shipworthy.gauntlet.probes.token_pairs import Pair, claims_of
from shipworthy.gauntlet.targetfile import load_target_file
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import served
from tests.support.token_app import ANN, TOKENS, TokenApp

REFRESH = check_named("auth.refresh_rotation")


async def ask(*defects: str, tokens: Tokens = TOKENS, mode: Any = "quick") -> dict[str, Finding]:
    routes = (Route(name="token", room="", method="POST", path="/token", source="app.py:7"),)
    async with served(TokenApp(set(defects)).asgi()) as base_url:
        target = Target(name="T", kind="command", manifest=Manifest(app="T", tokens=tokens, routes=routes))
        exam = Exam(target, StartedInstance(Handle(base_url=base_url, tenants=(ANN,)), None), mode=mode)
        exam.begin(PlannedCheck(check=REFRESH))
        try:
            return by_subject(list(await REFRESH.run(exam)))
        finally:
            await exam.close()


async def test_a_sound_app_rotates_races_and_revokes() -> None:
    found = await ask()
    assert list(found) == ["rotation", "parallel", "lifetime", "replay"]
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}, found
    assert found["parallel"].measures[0].estimate == 1
    assert found["lifetime"].source == "app.py:7"
    shown = "".join(evidence.text for finding in found.values() for evidence in finding.evidence)
    assert "e30." not in shown  # no token


@pytest.mark.parametrize(
    ("defect", "failing", "words"),
    [
        ("keeps_token", {"rotation", "replay"}, "the refresh token stays the same"),
        ("forks", {"parallel"}, "used 20 times at once becomes 20 that work"),
        ("accepts_replay", {"replay"}, "was used before is accepted again"),
        ("spares_family", {"replay"}, "what came of it lives on"),
        ("logs_out", {"parallel"}, "20 times at once logs the person out"),
        ("dead_pair", {"rotation"}, "the pair it gives on refresh does not work"),
        ("long_life", {"lifetime"}, "lives 3,600 s where 300 were declared"),
        ("no_exp", {"lifetime"}, "never expires"),
    ],
)
async def test_each_defect_fails_its_own_question(defect: str, failing: set[str], words: str) -> None:
    found = await ask(defect)
    wrong = {subject for subject, finding in found.items() if finding.verdict is not Verdict.PASS}
    assert wrong == failing, {subject: finding.title for subject, finding in found.items()}
    assert any(words in found[subject].title for subject in failing)
    assert all(found[subject].fix and found[subject].verdict is Verdict.FAIL for subject in failing)


async def test_a_race_that_ends_in_server_errors_fails() -> None:
    found = await ask("breaks")
    assert found["parallel"].verdict is Verdict.FAIL
    assert "breaks it (500)" in found["parallel"].title
    assert found["replay"].verdict is Verdict.INCONCLUSIVE  # neither a pair nor a refusal


async def test_a_long_grace_is_waited_for_in_the_full_gauntlet_only() -> None:
    found = await ask(tokens=replace(TOKENS, grace_s=30.0))
    assert found["replay"].verdict is Verdict.NOT_MEASURED
    assert "--full" in found["replay"].fix
    assert found["parallel"].verdict is Verdict.PASS
    assert (await ask(tokens=replace(TOKENS, grace_s=500.0), mode="full"))[
        "replay"
    ].verdict is Verdict.NOT_MEASURED


async def test_what_is_declared_wrongly_is_told_and_not_blamed_on_the_app() -> None:
    no_field = (await ask(tokens=replace(TOKENS, access="token.value")))["rotation"]
    assert no_field.verdict is Verdict.INCONCLUSIVE and "token.value" in no_field.cause
    no_route = (await ask(tokens=replace(TOKENS, issue="POST /nowhere")))["rotation"]
    assert no_route.verdict is Verdict.INCONCLUSIVE and "answered 404" in no_route.cause
    assert (await ask(tokens=replace(TOKENS, ttl_s=None)))["lifetime"].verdict is Verdict.NOT_MEASURED


def test_an_app_that_declares_no_tokens_is_told_how_to() -> None:
    target = Target(name="T", kind="command", manifest=Manifest(app="T"), credentials=(ANN,))
    [planned] = plan(target, [REFRESH])
    assert "[tokens]" in planned.remedy


def test_tokens_are_declared_in_the_target_file(tmp_path: Path) -> None:
    path = tmp_path / "gauntlet.toml"
    path.write_text(
        '[target]\nname = "T"\nurl = "http://127.0.0.1:1"\n[tokens]\nissue = "POST /token"\nrefresh = "POST /token"\n'
        'form = { email = "{email}" }\nrefresh_form = { refresh_token = "{refresh_token}" }\nttl_s = 300\n'
    )
    tokens = load_target_file(path).manifest.tokens
    assert tokens is not None and (tokens.ttl_s, tokens.access) == (300, "access_token")


def test_a_pair_never_shows_itself_and_an_opaque_token_claims_nothing() -> None:
    assert "secret" not in repr(Pair("secret-a", "secret-b", None, 0.0))
    assert claims_of("opaque") is None
    assert claims_of("a.b%.c") is None
    assert claims_of("e30.eyJleHAiOjF9.x") == {"exp": 1}
