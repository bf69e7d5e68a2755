"""A route becomes a request with a tenant's own samples; what was asked and answered can be shown.

Covers: asking, evidence.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from shipworthy.contract.manifest import Route
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import filled, prepare, samples_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, clipped, request_evidence, table_evidence, tail
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.stages import ALL_CHECKS
from tests.support.ledger import ACME, Ledger

ROUTE = Route(
    name="r",
    room="r",
    method="POST",
    path="/customers/{customer_id}/invoices",
    params={"customer_id": "customer"},
    idempotency="key",
    example={"lines": [{"product": "$product", "text": "costs $5"}]},
)


def test_samples_fill_path_and_body_and_other_text_stays() -> None:
    call = prepare(ROUTE, {"customer": "c1", "product": "p1"})
    assert call.path == "/customers/c1/invoices"
    assert call.json_body == {"lines": [{"product": "p1", "text": "costs $5"}]}
    assert samples_of(ROUTE) == {"customer", "product"}
    assert (
        prepare(ROUTE, {"customer": "c1", "product": "p1"}).headers["idempotency-key"]
        != call.headers["idempotency-key"]
    )
    assert prepare(ROUTE, {"customer": "c", "product": "p"}, key="k").headers["idempotency-key"] == "k"


def test_a_mark_is_another_word_in_each_request() -> None:
    made = [filled({"codes": ["no {mark}"]}, {})["codes"][0] for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(word) == len("no ") + 12 and word[3:].isalnum() for word in made)


def test_a_missing_sample_is_named() -> None:
    with pytest.raises(Undecided, match="'product'"):
        prepare(ROUTE, {"customer": "c1"})
    with pytest.raises(Undecided, match="'a'"):
        filled(["$a"], {})


async def test_a_session_that_was_ended_is_signed_in_again(ledger: Ledger) -> None:
    exam = ledger.exam(ALL_CHECKS[0])
    call = prepare(Route(name="me", room="", method="GET", path="/me"), {})
    assert (await ask_route(exam, call, ACME)).status == 200
    (await exam.session(ACME)).cookies.clear()
    assert (await ask_route(exam, call, ACME)).status == 200
    assert (await ask_route(exam, call, None)).status == 401
    await exam.close()


def test_evidence_shows_a_request_without_secrets_and_a_bounded_answer() -> None:
    shown = request_evidence(prepare(ROUTE, {"customer": "c1", "product": "p1"}, key="k")).text
    assert shown.startswith("POST /customers/c1/invoices\n")
    assert '"product": "p1"' in shown
    answer = Answer(
        status=200, headers=httpx.Headers({"content-type": "application/json"}), body=b'{"a":1}', elapsed_ms=1
    )
    assert answer_evidence(answer).text == '200 (application/json)\n\n{\n  "a": 1\n}'
    assert clipped("x" * 50, 10).endswith("40 more characters")
    assert table_evidence("t", ("a", "b"), [("x", 1), ("yyy", 2)]).text == "a    b\nx    1\nyyy  2"


def test_the_end_of_a_log_is_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("first line\nsecond line\nthird line\n")
    assert tail(log, bytes_max=24) == "second line\nthird line" or tail(log, bytes_max=24) == "third line"
    assert tail(log) == "first line\nsecond line\nthird line"
    assert tail(tmp_path / "none.log") == ""
