"""L2, invoices: 75 % reads, 20 % edits, 5 % of high value; every total recomputed, every key sent twice.

`facts` hold "load" (as in the manifest) and "oracle" (as JSON text). Observed: WRONG_TOTAL, a total that is
not exact; DUPLICATE, a second thing under one key; LOST, what was acknowledged and cannot be read or edited.
"""

from __future__ import annotations

import json
import random
import re
from functools import lru_cache
from typing import Any

from shipworthy.contract.manifest import Oracle
from shipworthy.contract.strict import decode
from shipworthy.gauntlet.load.coded import Answer, Visit
from shipworthy.gauntlet.probes.money import body_of, said_totals, wrong_totals
from shipworthy.gauntlet.probes.money_cases import Case, Line, exact_sums

WRONG_TOTAL, DUPLICATE, LOST = "wrong_total", "duplicate", "lost"
_RATES_BP = (1900, 700, 0, 2000, 550)
_PARAMETER = re.compile(r"\{\w+\}")
_MISSING = (404, 410)


async def read(v: Visit) -> None:
    method, _, path = v.facts["load"]["read"].partition(" ")
    await v.request(method, path, expect=(200,))


async def create(v: Visit) -> None:
    """Create an invoice of high value, and send the same again under the same key."""
    case, key = _case(v.rng), v.key()
    first = await _created(v, case, key)
    again = await _created(v, case, key, measured=False)
    if _id(v, first) != _id(v, again):
        v.observe(DUPLICATE, f"one key made {_id(v, first)} and {_id(v, again)}")
    _check(v, case, again)
    v.keep.give(_kind(v), (_id(v, first), first.header("etag")))


async def edit(v: Visit) -> None:
    """Replace the lines of a draft that only this visit holds."""
    held = v.keep.take(_kind(v))
    if held is None:
        made = await _created(v, _case(v.rng), v.key(), measured=False)
        held = (_id(v, made), made.header("etag"))
    draft, etag = held
    method, _, path = v.facts["load"]["edit"].partition(" ")
    case = _case(v.rng)
    answer = await v.request(
        method,
        _PARAMETER.sub(draft, path),
        json=_body(v, case),
        headers={"If-Match": etag} if etag else {},
        expect=(200, 201, *_MISSING),
    )
    if answer.status in _MISSING:
        v.observe(LOST, f"{draft} was created and is not there")
        return
    _check(v, case, answer)
    v.keep.give(_kind(v), (draft, answer.header("etag")))


async def _created(v: Visit, case: Case, key: str, *, measured: bool = True) -> Answer:
    method, _, path = _oracle(v).create.partition(" ")
    answer = await v.request(
        method,
        path,
        json=_body(v, case),
        headers={"Idempotency-Key": key},
        expect=(200, 201),
        measured=measured,
    )
    _check(v, case, answer)
    return answer


def _check(v: Visit, case: Case, answer: Answer) -> None:
    """Hold the totals of an answer against exact arithmetic."""
    said = said_totals(_oracle(v), answer.json())
    if wrong := wrong_totals(said, exact_sums(case.lines)):
        word = wrong[0]
        v.observe(WRONG_TOTAL, f"{word} {said[word]} where {getattr(exact_sums(case.lines), word)} is exact")


def _case(rng: random.Random) -> Case:
    """Return lines of high value, on which floats and late rounding show."""
    lines = tuple(
        Line(
            quantity=f"{rng.randint(1, 999)}.{rng.randint(0, 999):03d}",
            unit_price=f"{rng.randint(1_000, 49_999)}.{rng.randint(0, 99):02d}",
            rate_bp=rng.choice(_RATES_BP),
        )
        for _ in range(rng.randint(1, 5))
    )
    return Case(lines=lines, why="high value")


def _body(v: Visit, case: Case) -> Any:
    oracle = _oracle(v)
    text = json.dumps(oracle.body)
    for name, value in v.samples.items():
        text = text.replace(f'"${name}"', json.dumps(value))
    return body_of(oracle, case, json.loads(text))


def _id(v: Visit, answer: Answer) -> str:
    document = answer.json()
    for name in v.facts["load"]["id"].split("."):
        document = document[name]
    return str(document)


def _kind(v: Visit) -> str:
    """Drafts are kept for the person whose they are: the neighbour's are not there for anybody else."""
    return f"draft of {v.user.email if v.user else 'nobody'}"


def _oracle(v: Visit) -> Oracle:
    return _decoded(v.facts["oracle"])


@lru_cache(maxsize=4)
def _decoded(text: str) -> Oracle:
    return decode(Oracle, json.loads(text))
