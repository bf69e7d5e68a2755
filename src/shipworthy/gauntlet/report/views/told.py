"""One finding as Markdown: what every view that people or agents read says of it, in one order.

Whatever the examined app said stands in fences that it cannot close.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.words import bound, clip, in_line, measured, printable, repro_command

EVIDENCE_CHARS_MAX = 3_000  # of each piece; the report has the rest
_LANGUAGE = {"sql": "sql", "plan": "text", "request": "http", "response": "http"}
# A fix that is nothing but statements about the schema: advice has words, and what changes rows is for people.
_STATEMENT = re.compile(r"(?:alter|create|drop|revoke|grant|reindex)\s[^;…]*;?", re.IGNORECASE | re.DOTALL)
APPLY = "sql apply"  # marks the fence whose text can be run as it stands
_ACTS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def told(finding: Finding, *, heading: str = "##") -> str:
    """Return everything there is to say of a finding, with the command that repeats it."""
    return (
        "\n".join(
            [f"{heading} {title_of(finding)}", "", *_facts(finding), *_apply(finding), *_evidence(finding)]
        ).rstrip()
        + "\n"
    )


def sql_fix(finding: Finding) -> str:
    """Return the fix where it can be run as it stands: statements about the schema, and nothing else."""
    statements = [one.strip() for one in re.split(r"(?<=;)\s+", finding.fix.strip())]
    return "\n".join(statements) if all(_STATEMENT.fullmatch(one) for one in statements) else ""


def title_of(finding: Finding) -> str:
    return plain(in_line(finding.title, 240))


def plain(text: str) -> str:
    """Return text that says in Markdown what it says without it."""
    return _ACTS.sub(r"\\\1", text)


def fenced(text: str, language: str = "") -> str:
    """Return text in a fence longer than any within it."""
    text = clip(printable(text), EVIDENCE_CHARS_MAX)
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def code(text: str, length_max: int = 300) -> str:
    """Return text as code within a line."""
    line = in_line(text, length_max)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def _facts(finding: Finding) -> Iterator[str]:
    yield f"- id: {code(finding.id)}"
    yield f"- verdict: {finding.verdict}, {finding.severity}"
    if finding.source:
        yield f"- where: {code(finding.source)}"
    if finding.cause:
        yield f"- cause: {plain(in_line(finding.cause, 1_200))}"
    for measure in finding.measures[:8]:
        held = f", {bound(measure)}" if measure.bound is not None else ""
        yield f"- seen: {plain(in_line(measure.name, 80))} {measured(measure)}{held}"
    if finding.fix:
        yield f"- fix: {plain(in_line(finding.fix, 1_200))}"
    yield f"- repeat: {code(repro_command(finding), 700)}"
    if finding.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        yield "- done when: that command exits with 0"


def _apply(finding: Finding) -> Iterator[str]:
    if finding.verdict is Verdict.FAIL and (sql := sql_fix(finding)):
        yield from ("", "Apply, in a migration (the fix, as it can be run):", "", fenced(sql, APPLY))


def _evidence(finding: Finding) -> Iterator[str]:
    for piece in finding.evidence:
        yield from ("", plain(in_line(piece.title, 200)) + ":", "", fenced(piece.text, _language(piece)))


def _language(piece: Evidence) -> str:
    return _LANGUAGE.get(piece.kind, "text")
