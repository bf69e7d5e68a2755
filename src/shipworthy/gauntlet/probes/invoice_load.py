"""L2: invoices under load: 75 % reads, 20 % edits, 5 % of high value, each total recomputed as it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Journey, NamedLoad, Oracle
from shipworthy.contract.strict import encode
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load import named
from shipworthy.gauntlet.load.named.invoices import DUPLICATE, LOST, WRONG_TOTAL
from shipworthy.gauntlet.load.plan import LoadPlan, mixed
from shipworthy.gauntlet.load.result import LoadResult
from shipworthy.gauntlet.probes.under_load import (
    QUICK_SHAPE,
    SEED,
    Shape,
    latency_finding,
    offered_validly,
    users_of,
)
from shipworthy.judge.exceedance import judge_slo

CHECK = "load.invoices"
WEIGHTS = {"read": 75.0, "edit": 20.0, "create": 5.0}  # of the playbook
_WORDS = {
    "read": "Listing invoices",
    "edit": "Editing an invoice",
    "create": "Creating an invoice of high value",
}
_FOLDER = str(Path(named.__file__).parent)
# What may be observed -> what it means when it is, when it is not, and what to do.
_ORACLES = {
    WRONG_TOTAL: (
        "{n} answers under load hold a total that is not exact",
        "Every total of {all} answers is exact to the last minor unit",
        "See money.totals_exact: round each line's net, then the tax once for each rate, with integers or decimals.",
    ),
    DUPLICATE: (
        "{n} keys sent twice made two invoices",
        "No key sent twice made two invoices",
        "Store the key and the answer in the transaction that does the work; a second request waits for the first.",
    ),
    LOST: (
        "{n} invoices that were acknowledged are not there",
        "Every invoice that was acknowledged is there",
        "Answer only after the transaction has committed.",
    ),
}


async def invoices_under_load(exam: Exam, *, shape: Shape = QUICK_SHAPE) -> Sequence[Finding]:
    """Return a finding for each part's latency and one for each oracle."""
    load = next(load for load in exam.manifest.loads if load.kind == "invoices")
    oracle = next(oracle for oracle in exam.manifest.oracles if oracle.kind == "invoice_totals")
    missing = [word for word in ("read", "edit") if not getattr(load, word)]
    parts = [part for part in WEIGHTS if part in load.slos and part not in missing]
    result = await offered_validly(exam, await _plan(exam, load, oracle, parts, shape), rule=shape.rule)
    at = f" at {load.rate_per_s:g}/s in all"
    latencies = [
        latency_finding(
            exam,
            journey,
            judge_slo(journey.blocks, quantile=journey.slo.quantile, rule=shape.rule),
            check=CHECK,
            what=_WORDS[journey.journey],
            at=at,
        )
        for journey in result.journeys
    ]
    return [*latencies, *(_absent(exam, part) for part in missing), *_oracles(exam, result)]


async def _plan(exam: Exam, load: NamedLoad, oracle: Oracle, parts: Sequence[str], shape: Shape) -> LoadPlan:
    weights = {**WEIGHTS, **load.weights}
    journeys = [
        Journey(
            name=part,
            slo=load.slos[part],
            rate_per_s=1.0,
            login=exam.manifest.login is not None,
            code=f"invoices.py:{part}",
        )
        for part in parts
    ]
    wanted = {journey.slo for journey in journeys}
    plan = LoadPlan(
        name=f"{exam.target.name}: invoices",
        base_url=exam.handle.base_url,
        site_url=exam.handle.site_url,
        journeys=mixed(journeys, rate_per_s=load.rate_per_s, weights={p: weights[p] for p in parts}),
        slos=tuple(slo for slo in exam.manifest.slos if slo.name in wanted),
        users=await users_of(exam),
        login=exam.manifest.login,
        code_folder=_FOLDER,
        facts={"load": encode(load), "oracle": json.dumps(encode(oracle))},
        seed=SEED,
    )
    return replace(plan, blocks=shape.blocks, block_s=shape.block_s, warmup_s=shape.warmup_s)


def _oracles(exam: Exam, result: LoadResult) -> list[Finding]:
    answers = sum(journey.requests for journey in result.journeys if journey.journey != "read")
    return [_oracle(exam, result, code, answers) for code in _ORACLES]


def _oracle(exam: Exam, result: LoadResult, code: str, answers: int) -> Finding:
    seen = sum(journey.observed.get(code, 0) for journey in result.journeys)
    wrong, right, fix = _ORACLES[code]
    measure = Measure(name=code, unit="times", estimate=seen, bound=0, samples=answers)
    if not answers:
        why = "No invoice was written, so there was nothing to recompute."
        return exam.finding(
            code, Verdict.NOT_MEASURED, f"{code}: not measured", cause=why, fix="Declare edit and create."
        )
    if not seen:
        return exam.finding(code, Verdict.PASS, right.format(all=answers), measures=(measure,))
    first = next(j.samples[code] for j in result.journeys if code in j.samples)
    return exam.finding(
        code,
        Verdict.FAIL,
        wrong.format(n=seen),
        severity=Severity.CRITICAL,
        fix=fix,
        measures=(measure,),
        evidence=(Evidence(kind="text", title="The first", text=first),),
    )


def _absent(exam: Exam, part: str) -> Finding:
    return exam.finding(
        part,
        Verdict.NOT_MEASURED,
        f"The load's part {part!r}: not measured",
        cause=f"The load does not say where to {part}.",
        fix=f"Add {part} to the [[load]].",
    )
