"""For code hosts and editors: what failed, as SARIF 2.1.0 (OASIS, 2020).

A host shows a result only at a place in the code. A finding that knows none stands at the file that
described the app, and says which route or query it is about in its logical location.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from shipworthy.contract.finding import Finding, RunResult, most_urgent_first
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.report.words import in_line, printable, repro_command

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
NOWHERE = "app.toml"
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_SECURITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
_PLACE = re.compile(r"^(?P<path>[^\s:][^:\n]*?)(?::(?P<line>\d+))?$")


def sarif_view(result: RunResult) -> str:
    """Return what failed or was undecided as one SARIF run."""
    found = [
        f for f in most_urgent_first(result.findings) if f.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
    ]
    rules = {finding.check: finding for finding in reversed(found)}
    driver = {
        "name": "Shipworthy gauntlet",
        "semanticVersion": result.version,
        "rules": [_rule(check, finding) for check, finding in sorted(rules.items())],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"shipworthy/{result.mode}/"},
        "invocations": [{"executionSuccessful": result.valid, "startTimeUtc": _utc(result.started_at)}],
        "results": [_result(finding) for finding in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(check: str, finding: Finding) -> dict[str, Any]:
    return {
        "id": check,
        "name": check.replace(".", "_"),
        "shortDescription": {"text": check},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": {
            "tags": [finding.stage, *finding.playbook],
            "security-severity": _SECURITY[finding.severity],
        },
    }


def _result(finding: Finding) -> dict[str, Any]:
    parts = [finding.title.rstrip(".") + ".", finding.cause, finding.fix, f"Repeat: {repro_command(finding)}"]
    return {
        "ruleId": finding.check,
        "kind": "fail" if finding.verdict is Verdict.FAIL else "open",
        "level": _LEVEL[finding.severity] if finding.verdict is Verdict.FAIL else "none",
        "message": {"text": printable("\n\n".join(part for part in parts if part))},
        "locations": [_location(finding)],
        # What stays the same from run to run, so that a host knows an old finding again.
        "partialFingerprints": {"finding/v1": in_line(finding.id, 300)},
    }


def _location(finding: Finding) -> dict[str, Any]:
    found = _PLACE.match(finding.source)
    path = found["path"].lstrip("/") if found else NOWHERE
    region = {"startLine": max(1, int(found["line"]))} if found and found["line"] else {"startLine": 1}
    physical = {"artifactLocation": {"uri": _uri(path)}, "region": region}
    logical = [{"fullyQualifiedName": in_line(finding.subject, 300), "kind": "resource"}]
    return {"physicalLocation": physical, "logicalLocations": logical}


def _uri(path: str) -> str:
    return quote(path.removeprefix("./"), safe="/._-+@~")


def _utc(started_at: str) -> str:
    return started_at.replace("+00:00", "Z")
