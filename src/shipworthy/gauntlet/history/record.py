"""A run as its history keeps it: the verdict, what was open, and every measure that was held against a bound.

A tenth of a report, and nothing the app or its visitors said. Pure; versioned, so that a later program can
tell what it cannot read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.finding import Finding, Measure, RunResult
from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.contract.verdict import Verdict

VERSION = 1
# Beside what has a bound, what a reader follows over time all the same.
_FOLLOWED = ("p50", "p95", "p99")
BETWEEN = " · "  # stands between a finding's id and the measure's name, and in no measure's name


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A measure of a run. Units: `unit` names them, as in the finding."""

    estimate: float
    unit: str
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class Open:
    """A finding that failed, or could not be decided."""

    id: str
    verdict: Verdict
    severity: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run. `measures` are by the finding's id and the measure's name, with BETWEEN between them."""

    run_id: str
    target: str
    mode: str
    started_at: str
    duration_s: float
    version: str
    commit: str  # "+" at its end: with changes that were not committed
    verdict: Verdict
    valid: bool
    coverage: float
    coverage_of_subjects: float
    counts: dict[str, int] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    open: tuple[Open, ...] = ()
    measures: dict[str, Kept] = field(default_factory=dict)

    @property
    def is_of_a_commit(self) -> bool:
        """Whether what was examined can be had again: no changes lay beside the commit."""
        return bool(self.commit) and not self.commit.endswith("+")

    @property
    def machine_class(self) -> tuple[str, ...]:
        """What must be the same for two runs' times to be held side by side."""
        return tuple(self.machine.get(name, "") for name in ("cpu", "cores", "memory"))


def record_of(result: RunResult) -> Record:
    """Return what the history keeps of a run."""
    verdicts = [finding.verdict for finding in result.findings]
    return Record(
        run_id=result.run_id,
        target=result.target,
        mode=result.mode,
        started_at=result.started_at,
        duration_s=result.duration_s,
        version=result.version,
        commit=result.commit,
        verdict=result.verdict,
        valid=result.valid,
        coverage=result.coverage,
        coverage_of_subjects=result.coverage_of_subjects,
        counts={str(verdict): verdicts.count(verdict) for verdict in Verdict if verdict in verdicts},
        machine={k: v for k, v in result.machine.items() if k in ("cpu", "cores", "memory", "system")},
        open=tuple(_opened(f) for f in result.findings if f.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)),
        measures=dict(_measures(result)),
    )


def written(record: Record) -> str:
    """Return the record as a line of JSON. Errors: ValueError when a number is not finite."""
    document = {"schema": VERSION, **encode(record)}
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"


def read(text: str, *, source: str) -> Record:
    """Return the record that was written. Errors: Undecodable for another version, or what does not fit."""
    try:
        data: Any = json.loads(text)
    except ValueError as broken:
        raise Undecodable(f"not valid JSON: {broken}", path="", source=source) from broken
    version = data.pop("schema", None) if isinstance(data, dict) else None
    if version != VERSION:
        raise Undecodable(
            f"not a record of version {VERSION} (found {version!r})", path="schema", source=source
        )
    kept = data.pop("measures", {})
    record = decode(Record, data, source=source)
    # A thousand of the simplest: the careful decoder would take seconds for a year of runs.
    for name, one in kept.items():
        record.measures[str(name)] = Kept(
            estimate=float(one["estimate"]),
            unit=str(one["unit"]),
            bound=None if one.get("bound") is None else float(one["bound"]),
        )
    return record


def _opened(finding: Finding) -> Open:
    return Open(
        id=finding.id, verdict=finding.verdict, severity=str(finding.severity), title=finding.title[:240]
    )


def _measures(result: RunResult) -> Iterator[tuple[str, Kept]]:
    for finding in result.findings:
        if finding.verdict is Verdict.NOT_MEASURED:
            continue
        for measure in finding.measures:
            if _is_followed(measure) and math.isfinite(measure.estimate):
                yield (
                    f"{finding.id}{BETWEEN}{measure.name}",
                    Kept(estimate=measure.estimate, unit=measure.unit, bound=measure.bound),
                )


def _is_followed(measure: Measure) -> bool:
    return measure.bound is not None or (measure.unit == "ms" and measure.name in _FOLLOWED)
