"""L2, B2: the totals of invoices, asked for and recomputed to the last minor unit.

The app's own answer is held against exact arithmetic that shares no code with it. The words of
`Oracle.fields` say what the app calls things: `lines`, `quantity`, `unit_price`, `tax_rate_bp`
(and `description`, `currency`) in the body, `net_minor`, `tax_minor` and `gross_minor` in the
answer. An app that knows discounts names `discount_bp` within a line ("change.percent_bp"), and one that
knows prices with tax `prices_include_tax` in the body; without these words such cases are not asked.
Each invoice is really created, as a person of the first tenant would.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Oracle, Route
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import Call, filled, prepare, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.money_cases import MINOR_DECIMALS, Case, Line, Sums, cases, exact_sums
from shipworthy.gauntlet.subjects import ask_each

TOTALS = ("net_minor", "tax_minor", "gross_minor")
# With fewer invoices compared than this share, what was left out could hide the wrong ones.
COMPARED_SHARE_MIN = 0.5
_NEEDED = ("lines", "quantity", "unit_price", "tax_rate_bp", *TOTALS)
_FIX = (
    "Compute with integers or decimals, never floats: round each line's net half away from zero, then the tax "
    "once for each rate on the sum of its nets, then only add (EN 16931, BR-CO-10 and BR-CO-17)."
)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One invoice that was asked for and what came back."""

    case: Case
    call: Call
    answer: Answer
    expected: Sums
    said: Mapping[str, object]

    @property
    def is_refused(self) -> bool:
        return 400 <= self.answer.status < 500

    def wrong(self) -> list[str]:
        return wrong_totals(self.said, self.expected)


async def totals_exact(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each oracle of kind "invoice_totals"."""
    oracles = [
        (_subject(exam, oracle), oracle)
        for oracle in exam.manifest.oracles
        if oracle.kind == "invoice_totals"
    ]
    return await ask_each(
        exam,
        oracles,
        lambda subject, oracle: _ask(exam, subject, oracle),
        source=lambda oracle: _source(exam, oracle),
    )


async def _ask(exam: Exam, subject: str, oracle: Oracle) -> Finding:
    if missing := [word for word in _NEEDED if word not in oracle.fields]:
        raise Undecided(f"The oracle does not say what the app calls {', '.join(missing)}.")
    asked = [await _one(exam, oracle, case) for case in cases() if _is_sayable(oracle, case)]
    compared = [one for one in asked if not one.is_refused]
    wrong = [one for one in compared if one.wrong()]
    measures = (
        Measure(name="invoices that differ", unit="invoices", estimate=len(wrong), bound=0, samples=len(compared)),
        Measure(name="invoices the app refused", unit="invoices", estimate=len(asked) - len(compared)),
    )  # fmt: skip
    if wrong:
        return _differs(exam, subject, oracle, wrong, compared, measures)
    if len(compared) < COMPARED_SHARE_MIN * len(asked):
        refused = next(one for one in asked if one.is_refused)
        raise Undecided(
            f"The app refused {len(asked) - len(compared)} of {len(asked)} invoices, so its arithmetic was hardly seen.",
            fix="Let the oracle's body be one that the create route accepts.",
            evidence=(request_evidence(refused.call), answer_evidence(refused.answer)),
        )
    return exam.finding(
        subject,
        Verdict.PASS,
        f"{subject} adds up {len(compared)} hostile invoices exactly",
        source=_source(exam, oracle),
        measures=measures,
    )


async def _one(exam: Exam, oracle: Oracle, case: Case) -> _Asked:
    """Create one invoice and read its totals. Errors: Undecided when no answer comes."""
    person = exam.people[0] if exam.people else None
    samples = await exam.samples_for(person) if person else {}
    currency = case.currency or str(_at(oracle.body, oracle.fields.get("currency", "currency")) or "")
    call = replace(
        _call(exam, oracle, samples), json_body=body_of(oracle, case, filled(oracle.body, samples))
    )
    answer = await ask_route(exam, call, person if _needs_session(exam, oracle) else None)
    return _Asked(
        case=case,
        call=call,
        answer=answer,
        expected=exact_sums(
            case.lines,
            decimals=MINOR_DECIMALS.get(currency, 2),
            prices_include_tax=case.prices_include_tax,
        ),
        said={} if answer.status >= 400 else _totals(oracle, call, answer),
    )


def _totals(oracle: Oracle, call: Call, answer: Answer) -> dict[str, object]:
    """Return the totals of an answer. Errors: Undecided when they do not stand where the oracle says."""
    document = answer.json
    said = said_totals(oracle, document)
    if missing := [oracle.fields[word] for word, value in said.items() if value is None]:
        raise Undecided(
            f"The answer (status {answer.status}) holds no {', '.join(missing)}.",
            fix="Let the oracle's fields name where the totals stand in the answer.",
            evidence=(request_evidence(call), answer_evidence(answer)),
        )
    return said


def wrong_totals(said: Mapping[str, object], expected: Sums) -> list[str]:
    """Return which of the totals are not what they must be."""
    return [word for word in TOTALS if _number(said.get(word)) != getattr(expected, word)]


def said_totals(oracle: Oracle, document: Any) -> dict[str, object]:
    """Return the totals that stand in a JSON answer, None for one that does not."""
    return {word: _at(document, oracle.fields[word]) for word in TOTALS}


def body_of(oracle: Oracle, case: Case, body: Any) -> Any:
    """Return the body that asks for a case: the oracle's own with the case's lines in it.

    Each line is a copy of the oracle's first one, so that fields nobody names keep their values;
    numbers are written as that line writes them, as text or as JSON numbers.
    """
    body = copy.deepcopy(body)
    fields = oracle.fields
    lines = _at(body, fields["lines"])
    template = lines[0] if isinstance(lines, list) and lines and isinstance(lines[0], dict) else {}
    _put(body, fields["lines"], [_line(template, line, n, fields) for n, line in enumerate(case.lines, 1)])
    if case.currency:
        _put(body, fields["currency"], case.currency)
    if case.prices_include_tax:
        _put(body, fields["prices_include_tax"], True)
    return body


def _line(template: Mapping[str, Any], line: Line, number: int, fields: Mapping[str, str]) -> dict[str, Any]:
    said = copy.deepcopy({**template})
    if discount := fields.get("discount_bp"):
        if line.discount_bp:
            _put(said, discount, line.discount_bp)
        else:  # the example's own discount is not the case's
            said.pop(discount.partition(".")[0], None)
    if "description" in fields:
        said[fields["description"]] = f"Line {number}"
    for word, value in (("quantity", line.quantity), ("unit_price", line.unit_price)):
        said[fields[word]] = _written_like(template.get(fields[word]), value)
    rate = str(line.rate_bp) if isinstance(template.get(fields["tax_rate_bp"]), str) else line.rate_bp
    said[fields["tax_rate_bp"]] = rate
    return said


def _written_like(example: object, number: str) -> str | int | float:
    if not isinstance(example, (int, float)):
        return number
    return int(number) if number.lstrip("-").isdigit() else float(number)


def _is_sayable(oracle: Oracle, case: Case) -> bool:
    needed = {
        "currency": bool(case.currency),
        "discount_bp": case.has_discount,
        "prices_include_tax": case.prices_include_tax,
    }
    return all(word in oracle.fields for word, is_needed in needed.items() if is_needed)


def _call(exam: Exam, oracle: Oracle, samples: Mapping[str, str]) -> Call:
    route = _route(exam, oracle)
    if route is not None:
        return prepare(route, samples)
    method, _, path = oracle.create.partition(" ")
    headers = {"accept": "application/json", "idempotency-key": str(uuid.uuid4())}
    return Call(method=method, path=path, headers=headers)


def _route(exam: Exam, oracle: Oracle) -> Route | None:
    routes = exam.manifest.routes
    return next((route for route in routes if oracle.create in (route.name, subject_of(route))), None)


def _subject(exam: Exam, oracle: Oracle) -> str:
    route = _route(exam, oracle)
    return subject_of(route) if route else oracle.create


def _source(exam: Exam, oracle: Oracle) -> str:
    route = _route(exam, oracle)
    return route.source if route else ""


def _needs_session(exam: Exam, oracle: Oracle) -> bool:
    route = _route(exam, oracle)
    return exam.manifest.login is not None and (route is None or route.auth == "session")


def _differs(
    exam: Exam,
    subject: str,
    oracle: Oracle,
    wrong: Sequence[_Asked],
    compared: Sequence[_Asked],
    measures: tuple[Measure, ...],
) -> Finding:
    first = wrong[0]  # cases come the smallest first
    if first.answer.status >= 500:
        says = f"answers {first.answer.status} to a valid invoice"
    else:
        word = first.wrong()[0]
        says = f"says {word} {first.said.get(word)} where {getattr(first.expected, word)} is exact"
    where = {word: sum(word in one.wrong() for one in wrong) for word in TOTALS}
    counts = ", ".join(f"{word} in {number}" for word, number in where.items() if number)
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject} {says}",
        cause=f"{len(wrong)} of {len(compared)} invoices differ ({counts}). The smallest: {first.case.why}.",
        fix=_FIX,
        source=_source(exam, oracle),
        measures=measures,
        evidence=(
            _working(first),
            request_evidence(first.call, "The smallest invoice that differs"),
            answer_evidence(first.answer),
        ),
    )


def _working(one: _Asked) -> Evidence:
    rows = [(word, one.said.get(word), getattr(one.expected, word)) for word in TOTALS]
    return table_evidence("Answered and exact, in minor units", ("total", "answered", "exact"), rows)


def _number(value: object) -> Fraction | None:
    """Return a JSON number, or digits written as text, as the exact number it spells."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None


def _at(document: Any, path: str) -> Any:
    """Return what stands at "totals.net_minor" in a JSON document; None where nothing does."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _put(document: Any, path: str, value: object) -> None:
    *names, last = path.split(".")
    for name in names:
        document = document.setdefault(name, {})
    document[last] = value
