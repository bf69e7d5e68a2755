"""A result in words: the verdict sentence, amounts with their units, the command that repeats.

Owns every phrase that more than one format prints. Knows neither terminal nor HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from shipworthy.contract.finding import Finding, Measure, RunResult, most_urgent_first
from shipworthy.contract.verdict import Verdict

# Below this share of measured checks a plain "passes" would be read as more than was seen.
COVERAGE_FOR_A_PLAIN_PASS = 0.8
TITLES_IN_SENTENCE = 2
ID_CHARS_MAX = 300
NBSP = "\u00a0"

# Controls would move a terminal's cursor and are invalid in HTML; the bidirectional ones can
# make text read otherwise than it is. Line ends and tabs stay.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_PHYSICAL_UNITS = {"%", "ms", "s", "kB", "MB", "bytes", "B"}
_MODE_LABELS = {"quick": "quick, not for release", "partial": "partial, only the chosen checks"}
_SMALL_OPENERS = {"a", "an", "all", "any", "each", "every", "it", "no", "one", "some", "the", "two"}


def verdict_sentence(result: RunResult) -> str:
    """Return the run's conclusion as one sentence that claims no more than was measured."""
    name, count = in_line(result.target, 60), tally(result.findings)
    if not result.valid:
        return f"This run of {name} does not count: {_why_invalid(result)}."
    if result.verdict is Verdict.FAIL:
        return f"{name} fails {plural(count[Verdict.FAIL], 'check')}: {_named_failures(result)}."
    if result.verdict is Verdict.INCONCLUSIVE:
        undecided = plural(count[Verdict.INCONCLUSIVE], "check")
        return f"{name} is undecided: {undecided} could not be called either way{_rest(count)}."
    if result.verdict is Verdict.PASS:
        return f"{name} {_passes(result)}: {_all_that_held(count)}."
    if not result.findings:
        return f"Nothing was examined on {name}: the run holds no checks."
    return f"Nothing was measured on {name}: none of {plural(len(result.findings), 'check')} could run."


def labels(result: RunResult) -> list[str]:
    """Return what must stand beside the verdict wherever it is shown; nothing for a full run."""
    found = []
    if result.mode in _MODE_LABELS:
        found.append(_MODE_LABELS[result.mode])
    if result.mode != "partial" and result.findings and _covered(result) < COVERAGE_FOR_A_PLAIN_PASS:
        found.append(f"only {whole_percent(_covered(result))} measured")
    return found


def tally(findings: Iterable[Finding]) -> Counter[Verdict]:
    """Count findings by verdict."""
    return Counter(f.verdict for f in findings)


VERDICT_WORD = {  # for counting: "61 held"
    Verdict.PASS: "held",
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "undecided",
    Verdict.NOT_MEASURED: "not measured",
}


def repro_command(finding: Finding) -> str:
    """Return the shell command that runs this finding again, quoted for any POSIX shell.

    A subject that cannot be typed (endless, or with control characters) is left off: the
    command then runs its check on every subject.
    """
    is_typeable = finding.id == in_line(finding.id, ID_CHARS_MAX)
    quoted = (finding.id if is_typeable else finding.check).replace("'", "'\"'\"'")
    return f"shipworthy gauntlet --only '{quoted}'"


def coverage_sentence(result: RunResult) -> str:
    """Say what the coverage numbers count, with their numbers."""
    seen = {f.check for f in result.findings if f.verdict is not Verdict.NOT_MEASURED}
    planned = {f.check for f in result.findings}
    were = "was" if len(planned) == 1 else "were"
    kinds = f"{len(seen)} of {plural(len(planned), 'kind')} of check {were} measured on at least one subject"
    measured = len(result.findings) - tally(result.findings)[Verdict.NOT_MEASURED]
    return f"{kinds}, {measured:,} of {plural(len(result.findings), 'subject')} in all."


def coverage_short(result: RunResult) -> str:
    """Return both coverage numbers in a few words."""
    return (
        f"{whole_percent(result.coverage)} of the checks, "
        f"{whole_percent(result.coverage_of_subjects)} of their subjects"
    )


def plural(number: int, noun: str) -> str:
    """Return "1 check", "3 checks"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def percent(share: float) -> str:
    """Return a share of 0..1 as a percentage that never rounds something to nothing or to all."""
    return amount(share, "share")


def whole_percent(share: float) -> str:
    """Return a share of 0..1 in whole per cent, rounded down: 100 % means all."""
    return f"{int(share * 100 + 1e-9)}{NBSP}%"


def amount(value: float, unit: str) -> str:
    """Return a value with its unit as a person writes it: "143 ms", "4.2 %", "60 kB"."""
    number, unit = _number_and_unit(value, unit)
    return f"{number}{NBSP}{unit}" if unit else number


def measured(measure: Measure) -> str:
    """Return what was measured, as an interval where there is one: "0.6 to 1.9 %"."""
    if measure.low is None or measure.high is None:
        return amount(measure.estimate, measure.unit)
    low, low_unit = _number_and_unit(measure.low, measure.unit)
    high, high_unit = _number_and_unit(measure.high, measure.unit)
    if (low, low_unit) == (high, high_unit):
        return amount(measure.high, measure.unit)
    # "0 to 3 ms" rather than "0 ms to 3 ms", but never "900 to 1.2 kB".
    start = low if low_unit == high_unit else amount(measure.low, measure.unit)
    return f"{start} to {amount(measure.high, measure.unit)}"


def bound(measure: Measure) -> str:
    """Return the bound a measure was held against, or nothing."""
    if measure.bound is None:
        return ""
    if not measure.bound:
        return "none allowed"
    number, unit = _number_and_unit(measure.bound, measure.unit)
    # "52 queries, at most 6": a counted thing need not be named twice, a physical unit must.
    return f"at most {number}{NBSP}{unit}" if unit in _PHYSICAL_UNITS else f"at most {number}"


def duration(seconds: float) -> str:
    """Return a time span: "0.9 s", "48 s", "2 min 41 s", "1 h 04 min"."""
    if seconds < 10:
        return f"{seconds:.1f}{NBSP}s"
    if seconds < 60:
        return f"{seconds:.0f}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min {rest:02d}{NBSP}s"
    return f"{minutes // 60}{NBSP}h {minutes % 60:02d}{NBSP}min"


def printable(text: str) -> str:
    """Return text without the characters that could act on a terminal or disguise what it says."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def clip(text: str, length_max: int) -> str:
    """Return text no longer than `length_max`, with a sign where something was left off."""
    return text if len(text) <= length_max else text[: length_max - 1].rstrip() + "…"


def in_line(text: str, length_max: int) -> str:
    """Return text as one printable line of bounded length, at a cost of that length."""
    # Evidence may be megabytes; four times the length leaves room for blanks that collapse.
    return clip(" ".join(printable(text[: length_max * 4]).split()), length_max)


def _passes(result: RunResult) -> str:
    if result.mode == "partial":
        return "passes the chosen checks"
    part = ""
    if _covered(result) < COVERAGE_FOR_A_PLAIN_PASS:
        part = f"the {whole_percent(_covered(result))} that could be measured of "
    if result.mode == "quick":
        return f"passes {part}the quick gauntlet"
    return f"passes {part}the gauntlet" if part else "passes"


def _covered(result: RunResult) -> float:
    """The lower of the two coverages: a verdict claims no more than that."""
    return min(result.coverage, result.coverage_of_subjects)


def _all_that_held(count: Counter[Verdict]) -> str:
    held = count[Verdict.PASS]
    if count[Verdict.NOT_MEASURED] or held == 1:
        return f"{plural(held, 'check')} held{_not_measured(count)}"
    return f"all {held:,} checks held"


def _rest(count: Counter[Verdict]) -> str:
    held = f", {count[Verdict.PASS]:,} held" if count[Verdict.PASS] else ""
    return held + _not_measured(count)


def _not_measured(count: Counter[Verdict]) -> str:
    number = count[Verdict.NOT_MEASURED]
    return f", {number:,} {'was' if number == 1 else 'were'} not measured" if number else ""


def _named_failures(result: RunResult) -> str:
    failed = [f for f in most_urgent_first(result.findings) if f.verdict is Verdict.FAIL]
    titles = list(dict.fromkeys(_clause(f.title) for f in failed))
    named = titles[:TITLES_IN_SENTENCE]
    unnamed = len([f for f in failed if _clause(f.title) not in named])
    return "; ".join([*named, f"and {unnamed} more"] if unnamed else named)


def _why_invalid(result: RunResult) -> str:
    return _clause(result.notes[0]) if result.notes else "it was declared invalid and gives no reason"


def _clause(title: str) -> str:
    """Return a title fit to stand after a colon: no final stop, a common first word in lower case."""
    line = in_line(title, 120).rstrip(".")
    first = line.split(" ")[0]
    return first.lower() + line[len(first) :] if first.lower() in _SMALL_OPENERS else line


def _number_and_unit(value: float, unit: str) -> tuple[str, str]:
    unit = in_line(unit, 24)
    if unit == "share":
        return _percentage(value * 100), "%"
    if unit in ("bytes", "B") and value >= 1000:
        return _digits(value / 1000), "kB"
    if value == 1 and unit.endswith("s") and unit not in ("ms", "s"):
        return "1", unit[:-3] + "y" if unit.endswith("ies") else unit[:-1]
    return _digits(value), unit


def _percentage(value: float) -> str:
    if 0 < value < 0.1:
        return f"<{NBSP}0.1"
    if 99.9 < value < 100:
        return f">{NBSP}99.9"
    return f"{value:.1f}".removesuffix(".0")


def _digits(value: float) -> str:
    """Return three significant digits at most, with separators; whole numbers stay whole."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")
