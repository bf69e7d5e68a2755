"""The named loads' journeys on a small app: sound ones observe nothing, defects are seen by name.

Covers: invoices.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Journey, NamedLoad
from shipworthy.contract.strict import encode
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.plan import LoadPlan, LoadUser
from shipworthy.gauntlet.load.result import JourneyResult
from tests.support.spiked_app import ANN, INVOICES, LOGIN, MANIFEST, ORACLE, TOKENS, spiked_app

AUTH, BILLS = "auth_spike.py", "invoices.py"


async def offered(url: str, code: str, **facts: object) -> JourneyResult:
    known = {
        "login": encode(LOGIN), "tokens": encode(TOKENS), "oauth": None, "wrong_share": 0.3,
        "load": encode(INVOICES), "oracle": json.dumps(encode(ORACLE)), **facts,
    }  # fmt: skip
    plan = LoadPlan(
        name="named",
        base_url=url,
        journeys=(Journey(name="j", slo="fast", rate_per_s=60.0, login=False, code=code),),
        slos=MANIFEST.slos,
        users=(LoadUser(credential=ANN),),
        code_folder=str(Path(named.__file__).parent),
        facts=known,
        blocks=4,
        block_s=0.25,
        warmup_s=0.0,
    )
    return (await offer(plan)).journey("j")


@pytest.mark.parametrize(
    "code",
    [f"{AUTH}:password", f"{AUTH}:refresh", f"{BILLS}:read", f"{BILLS}:create", f"{BILLS}:edit"],
)
async def test_a_sound_app_gives_nothing_to_observe(code: str) -> None:
    async with spiked_app() as app:
        found = await offered(app.base_url, code)
    assert (found.failures, found.observed) == ({}, {})
    assert found.requests > 30


@pytest.mark.parametrize(
    ("code", "defect", "observed"),
    [
        (f"{AUTH}:password", "locks_out", "owner_refused"),
        (f"{AUTH}:password", "lets_in", "wrong_password_let_in"),
        (f"{AUTH}:refresh", "same_token", "token_reused"),
        (f"{BILLS}:create", "float_tax", "wrong_total"),
        (f"{BILLS}:edit", "float_tax", "wrong_total"),
        (f"{BILLS}:create", "no_keys", "duplicate"),
        (f"{BILLS}:edit", "forgets", "lost"),
    ],
)
async def test_each_defect_is_observed_by_its_name(code: str, defect: str, observed: str) -> None:
    async with spiked_app(defect) as app:
        found = await offered(app.base_url, code)
    assert set(found.observed) == {observed}
    assert found.samples[observed]


async def test_a_field_that_is_not_there_ends_the_visit_as_a_failure_with_its_name() -> None:
    other = NamedLoad(kind="invoices", rate_per_s=1.0, slos={}, edit=INVOICES.edit, id="invoice.number")
    async with spiked_app() as app:
        found = await offered(app.base_url, f"{BILLS}:edit", load=encode(other))
    assert set(found.failures) == {"journey_error"}
    assert "'invoice'" in found.samples["journey_error"]
