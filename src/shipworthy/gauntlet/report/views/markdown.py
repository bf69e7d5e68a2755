"""For a pull request: the verdict and what failed, short enough to be read between two commits.

Begins with a mark by which a later run finds its own comment and edits it in place.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.reading import deciding_measure, gaps, objectives, p95_of, with_verdict
from shipworthy.gauntlet.report.views.told import code, plain, title_of, told
from shipworthy.gauntlet.report.words import (
    VERDICT_WORD,
    amount,
    coverage_short,
    duration,
    in_line,
    labels,
    measured,
    plural,
    tally,
    verdict_sentence,
)

MARK = "<!-- shipworthy gauntlet -->"
CHARS_MAX = 60_000  # code hosts refuse comments above 65,536
SHOWN_MAX = 10
_SIGN = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.NOT_MEASURED: "⚪"}


def markdown_view(result: RunResult) -> str:
    """Return the run as Markdown for a comment or a job's summary."""
    shown, text = SHOWN_MAX, _text(result, SHOWN_MAX)
    while len(text) > CHARS_MAX and shown:
        shown -= 1
        text = _text(result, shown)
    return text


def _text(result: RunResult, shown: int) -> str:
    verdict = result.verdict if result.valid else Verdict.INCONCLUSIVE
    said = " · ".join([str(verdict) if result.valid else "INVALID RUN", *labels(result)])
    lines = [
        MARK,
        f"### {_SIGN[verdict]} {said}",
        "",
        f"**{plain(verdict_sentence(result))}**",
        "",
        _counts(result),
    ]
    lines += _objectives(result)
    for wanted, heading in ((Verdict.FAIL, "Failed"), (Verdict.INCONCLUSIVE, "Undecided")):
        lines += _findings(with_verdict(result, wanted), heading, shown)
    if missing := gaps(result):
        lines += [
            "",
            f"<details><summary>Not measured: {sum(len(gap.findings) for gap in missing)}</summary>",
            "",
        ]
        lines += [f"- {plain(in_line(gap.reason, 200))} ({len(gap.findings)})" for gap in missing[:shown]]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _counts(result: RunResult) -> str:
    count = tally(result.findings)
    words = [f"{count[verdict]:,} {word}" for verdict, word in VERDICT_WORD.items() if count[verdict]]
    facts = [*words, f"covered: {coverage_short(result)}", duration(result.duration_s)]
    return " · ".join([*facts, f"commit {code(result.commit)}"] if result.commit else facts)


def _objectives(result: RunResult) -> Iterator[str]:
    if found := objectives(result):
        yield from ("", "| | journey | p95 | too slow or failed | allowed |", "|---|---|---|---|---|")
        for finding in found:
            measure, p95 = deciding_measure(finding), p95_of(finding)
            cells = [
                _SIGN[finding.verdict],
                plain(in_line(finding.subject, 60)),
                amount(p95.estimate, "ms") if p95 else "",
                measured(measure) if measure else "",
                amount(measure.bound, measure.unit) if measure and measure.bound is not None else "",
            ]
            yield f"| {' | '.join(cells)} |"


def _findings(found: list[Finding], heading: str, shown: int) -> Iterator[str]:
    if not found:
        return
    yield from ("", f"#### {heading}")
    for finding in found[:shown]:
        summary = title_of(finding).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\", "")
        yield from (
            "",
            f"<details><summary>{summary} ({finding.severity})</summary>",
            "",
            told(finding, heading="#####"),
            "</details>",
        )
    if len(found) > shown:
        yield from ("", f"and {plural(len(found) - shown, 'more finding')}, in the report")
