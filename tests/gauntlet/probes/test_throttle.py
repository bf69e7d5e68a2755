"""auth.login_throttle: guessing ends soon, in a row and in parallel, and for the right password too.

Covers: wrong_passwords.
"""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Login
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.wrong_passwords import (
    is_judged,
    is_throttled,
    login_call,
    nobody_like,
    said,
    wrong_for,
)
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_manifest
from tests.support.shop_app import ANN, GUS, TRIES_MAX

THROTTLE = check_named("auth.login_throttle")
LOGIN = "POST /login"


async def ask(shop: Shop, *defects: str) -> Finding:
    shop.defects.update(defects)
    return (await shop.ask(THROTTLE))[LOGIN]


async def test_a_throttle_that_counts_before_it_compares_passes_with_the_exact_number(shop: Shop) -> None:
    found = await ask(shop)
    assert found.verdict is Verdict.PASS, found
    assert [measure.estimate for measure in found.measures] == [TRIES_MAX, TRIES_MAX]
    assert f"after {TRIES_MAX} wrong passwords" in found.title
    assert found.source == "shop/web.py:1"
    assert GUS.password not in "".join(evidence.text for evidence in found.evidence)


async def test_a_login_without_throttle_is_named_with_its_source(shop: Shop) -> None:
    found = await ask(shop, "never_throttles")
    assert found.verdict is Verdict.FAIL
    assert "POST /login compares every password it is given" in found.title
    assert found.measures[0].estimate == 30 + TRIES_MAX + 3
    assert found.source == "shop/web.py:1"
    assert "401" in found.evidence[1].text


async def test_a_throttle_that_reads_its_counter_too_early_is_overrun_in_parallel(shop: Shop) -> None:
    found = await ask(shop, "counts_late")
    assert found.verdict is Verdict.FAIL
    assert "compares 30 wrong passwords when they come at once" in found.title


async def test_a_throttle_that_lets_the_right_password_pass_stops_nobody(shop: Shop) -> None:
    found = await ask(shop, "throttles_wrong_ones_only")
    assert found.verdict is Verdict.FAIL
    assert "throttles wrong passwords only" in found.title


async def test_an_account_that_is_locked_in_silence_is_guarded_as_well(shop: Shop) -> None:
    found = await ask(shop, "locks_in_silence")
    assert found.verdict is Verdict.PASS
    assert "refuses even the right password" in found.title


async def test_everyone_keeps_a_session_though_the_last_ones_account_is_locked(shop: Shop) -> None:
    exam = shop.exam(THROTTLE)
    await THROTTLE.run(exam)
    for person in (ANN, GUS):
        assert (await (await exam.session(person)).get("/desk")).status == 200
    await exam.close()


@pytest.mark.parametrize(
    ("status", "headers", "throttled", "judged"),
    [
        (429, {}, True, False),
        (403, {"retry-after": "9"}, True, False),
        (503, {"retry-after": "1"}, False, False),
        (401, {}, False, True),
        (200, {}, False, True),
    ],
)
def test_what_an_answer_to_a_try_means(
    status: int, headers: dict[str, str], throttled: bool, judged: bool
) -> None:
    login = Login(route=LOGIN, form={})
    answer = Answer(status=status, headers=httpx.Headers(headers), body=b"", elapsed_ms=1.0)
    assert (is_throttled(answer, login), is_judged(answer, login)) == (throttled, judged)


def test_an_answer_says_the_same_though_it_echoes_the_address_and_holds_a_token() -> None:
    def answer(text: str) -> Answer:
        return Answer(status=401, headers=httpx.Headers(), body=text.encode(), elapsed_ms=1.0)

    known, nobody = wrong_for(ANN), nobody_like(ANN)
    assert known.password != ANN.password
    assert nobody.email != ANN.email
    first = said(answer(f"{known.email} or password wrong, trace 0123456789abcdef0123456789abcdef"), known)
    second = said(answer(f"{nobody.email} or password wrong, trace fedcba9876543210fedcba9876543210"), nobody)
    assert first == second
    assert first != said(answer(f"there is no {nobody.email}"), nobody)


def test_evidence_never_shows_a_password() -> None:
    login = shop_manifest().login
    assert login is not None
    shown = str(login_call(login, replace(ANN, password="secret-word")))
    assert "secret-word" not in shown
    assert ANN.email in shown
