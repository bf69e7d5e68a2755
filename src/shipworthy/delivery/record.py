"""The decision record of a deploy: what was decided, when, on which evidence; for programs and for people."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from shipworthy.delivery.access import Seen
from shipworthy.delivery.fleet import write
from shipworthy.judge.canary import CANARY
from shipworthy.judge.error_rates import gate_error_rates

EVIDENCE_LINES_MAX = 200_000  # some 25 MB; beyond, the tallies go on


@dataclass(kw_only=True)
class Tally:
    """One arm's requests of one journey."""

    requests: int = 0
    failed: int = 0
    slow: int = 0
    probes: int = 0


@dataclass(kw_only=True)
class Record:
    """Grows while a deploy runs; `close` writes it."""

    deploy: str
    release: str
    previous: str
    folder: Path
    salt: str
    events: list[dict[str, Any]] = field(default_factory=list)
    tallies: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    tenants_failed: Counter[str] = field(default_factory=Counter)
    canary_requests: int = 0
    _lines: int = 0

    def event(self, what: str, **facts: Any) -> None:
        """Note what happened, with the time."""
        self.events.append(
            {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "what": what, **facts}
        )

    def seen(self, requests: Sequence[Seen], thresholds_ms: Mapping[str, float]) -> None:
        """Count requests and keep them as evidence, sessions told apart but not told."""
        if not requests:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "evidence.jsonl").open("a", encoding="utf-8") as evidence:
            for one in requests:
                tally = self.tallies[one.journey][one.arm]
                tally.requests += 1
                tally.failed += one.failed
                tally.slow += one.ms > thresholds_ms.get(one.journey, float("inf"))
                tally.probes += one.is_probe
                self.canary_requests += one.arm == "canary"
                if one.failed and one.arm == "canary" and one.tenant:
                    self.tenants_failed[one.tenant] += 1
                if self._lines < EVIDENCE_LINES_MAX:
                    self._lines += 1
                    evidence.write(json.dumps(self._evidence(one)) + "\n")

    def _evidence(self, one: Seen) -> dict[str, Any]:
        session = blake2b(one.session.encode(), key=self.salt.encode()[:64], digest_size=6).hexdigest()
        return {
            "arm": one.arm,
            "journey": one.journey,
            "code": one.code,
            "ms": one.ms,
            "tenant": one.tenant,
            "session": session,
            "probe": one.is_probe,
        }

    def close(self, *, decision: str, reason: str, page: bool, paged: Sequence[str] = ()) -> Path:
        """Write decision.json and decision.md; return the folder. `paged` are the ways that reached a person."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        document = self._document(decision, reason, page, paged)
        write(self.folder / "decision.json", document)
        (self.folder / "decision.md").write_text(_readable(document), encoding="utf-8")
        return self.folder

    def _document(self, decision: str, reason: str, page: bool, paged: Sequence[str]) -> dict[str, Any]:
        rates = next(rate for rate in gate_error_rates() if rate.rule == CANARY.name)
        return {
            "deploy": self.deploy,
            "release": self.release,
            "previous": self.previous,
            "decision": decision,
            "reason": reason,
            "page": page,
            "paged": list(paged),
            "canary_requests": self.canary_requests,
            "rule": CANARY.name,
            "false_rollback": max(rates.false_fail.values()),
            "events": self.events,
            "journeys": {
                journey: {arm: vars(tally) for arm, tally in arms.items()}
                for journey, arms in sorted(self.tallies.items())
            },
            "tenants_failed": dict(self.tenants_failed.most_common(20)),
            "evidence": "evidence.jsonl" if self._lines else None,
        }


def _readable(document: Mapping[str, Any]) -> str:
    lines = [
        f"# Deploy {document['deploy']}: {document['decision']}",
        "",
        f"Release `{document['release']}`, before it `{document['previous']}`.",
        "",
        f"**Why.** {document['reason']}",
        "",
        f"The rule ({document['rule']}) rolls a healthy version back in at most {document['false_rollback']:.2%} "
        "of the simulated deploys.",
    ]
    if document["page"] or document["paged"]:
        by = " and ".join(document["paged"]) or "no way there is, or none was heard"
        lines += ["", f"A person was called (by {by}): the fault is not the new version's alone."]
    lines += [
        "",
        "| journey | arm | requests | failed | beyond the objective | probes |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {journey} | {arm} | {tally['requests']} | {tally['failed']} | {tally['slow']} | {tally['probes']} |"
        for journey, arms in document["journeys"].items()
        for arm, tally in sorted(arms.items(), reverse=True)
    ]
    if document["tenants_failed"]:
        lines += ["", "Failed answers of the canary by tenant:", ""]
        lines += [f"- {tenant}: {count}" for tenant, count in document["tenants_failed"].items()]
    lines += ["", "## What happened", ""]
    for event in document["events"]:
        facts = ", ".join(f"{k} {v}" for k, v in event.items() if k not in ("at", "what"))
        lines.append(f"- {event['at']} {event['what']}" + (f" ({facts})" if facts else ""))
    return "\n".join(lines) + "\n"
