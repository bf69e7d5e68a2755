"""The page's section on itself: validity, the gate's own error rates, the machine, the run."""

from __future__ import annotations

from datetime import UTC, datetime

from shipworthy.contract.finding import GateErrorRates, RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.document import exit_code_of
from shipworthy.gauntlet.report.markup import Html, Node, joined, tag
from shipworthy.gauntlet.report.parts import cell, icon, row, section, table
from shipworthy.gauntlet.report.reading import objectives
from shipworthy.gauntlet.report.words import (
    coverage_sentence,
    coverage_short,
    duration,
    in_line,
    percent,
)

ITEMS_MAX = 20  # of a list in this section


def trust_section(result: RunResult) -> Html:
    """Return how far the verdict can be trusted, by the run's own account."""
    return section(
        "How far to trust this",
        _validity(result),
        *(_error_rates(rates) for rates in result.error_rates[:4]),
        None if result.error_rates else _no_error_rates(result),
        tag("div", tag("div", tag("h3", "This run"), _run(result)), _machine(result), class_="columns sub"),
        _notes(result),
        id_="trust",
    )


def moment(started_at: str) -> str:
    """Return a start time as a person writes it, in UTC; what is not a time is shown as it is."""
    try:
        at = datetime.fromisoformat(started_at)
    except ValueError:
        return in_line(started_at, 40)
    return f"{at.astimezone(UTC):%d %B %Y, %H:%M} UTC".removeprefix("0")


def _validity(result: RunResult) -> Html:
    tone, said = (
        "pass",
        "The run is valid: nothing the examiner watches on itself and the machine voided it.",
    )
    if not result.valid:
        why = in_line(result.notes[0], 300) if result.notes else "no reason was given"
        tone, said = "open", f"The run is not valid, so nothing in this report is a verdict: {why}."
    elif result.verdict is Verdict.NOT_MEASURED:
        tone, said = "gap", "Nothing was measured, so there is nothing to trust."
    return tag("p", icon(tone), tag("span", said), class_=f"statement v-{tone}")


def _error_rates(rates: GateErrorRates) -> Html:
    kinds = list(dict.fromkeys([*rates.false_pass, *rates.false_fail]))[:ITEMS_MAX]
    heads = [
        ("", "Kind of noise"),
        ("number", "Passes an app that should fail"),
        ("number", "Fails an app that should pass"),
    ]
    rows = [
        row(
            cell(in_line(kind, 60).capitalize()),
            cell(_rate(rates.false_pass, kind), class_="number", label=heads[1][1]),
            cell(_rate(rates.false_fail, kind), class_="number", label=heads[2][1]),
        )
        for kind in kinds
    ]
    how = "For an app that lies exactly on its bound, the hardest to call"
    source = f", simulated by {in_line(rates.source, 200)}" if rates.source else ""
    title = tag("h3", f"How often this gate itself is wrong: {in_line(rates.rule, 120)}", class_="sub")
    return tag("div", title, table(heads, rows), tag("p", f"{how}{source}.", class_="more"))


def _rate(rates: dict[str, float], kind: str) -> str:
    return percent(rates[kind]) if kind in rates else "not simulated"


def _no_error_rates(result: RunResult) -> Html | None:
    if not objectives(result):
        return None
    said = "The error rates of the gate that judged the objectives are not known for this machine."
    return tag("p", said, class_="soft")


def _run(result: RunResult) -> Html:
    commit = f" at commit {in_line(result.commit, 40)}" if result.commit else ""
    facts: dict[str, Node] = {
        "Started": moment(result.started_at),
        "Took": duration(result.duration_s),
        "Mode": in_line(result.mode, 40),
        "Coverage": f"{coverage_short(result)}. {coverage_sentence(result)}",
        "Examined": f"{in_line(result.target, 60)}{commit}",
        "Examiner": f"Shipworthy {in_line(result.version, 40)}",
        "Exit code": str(int(exit_code_of(result))),
        "Run": tag("span", in_line(result.run_id, 80), class_="id"),
    }
    return _facts(facts)


def _machine(result: RunResult) -> Html | None:
    if not result.machine:
        return None
    named = list(result.machine.items())[:ITEMS_MAX]
    facts: dict[str, Node] = {_label(key): in_line(value, 160) for key, value in named}
    return tag("div", tag("h3", "The machine"), _facts(facts))


def _label(key: str) -> str:
    word = in_line(key, 40).replace("_", " ")
    return word.upper() if word in ("cpu", "os", "psi") else word[:1].upper() + word[1:]


def _facts(facts: dict[str, Node]) -> Html:
    pairs = (joined([tag("dt", name), tag("dd", value)]) for name, value in facts.items())
    return tag("dl", *pairs, class_="facts plain")


def _notes(result: RunResult) -> Html | None:
    if not result.notes:
        return None
    lines = [tag("li", in_line(note, 400)) for note in result.notes[:ITEMS_MAX]]
    return tag("div", tag("h3", "Notes", class_="sub"), tag("ul", *lines, class_="notes"))
