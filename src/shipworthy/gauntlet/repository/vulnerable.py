"""Known vulnerabilities of the app's packages, asked of pip-audit, which must first know one of an old release.

Behind some registries it says "could not be audited" for every package and exits 0: what was not audited
is NOT MEASURED, by name.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.components import known_components
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of

_FILE = "requirements.txt"
_SKIPPED = "skipped"


async def nothing_vulnerable(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each package with a known vulnerability, and one for those nobody could ask about."""
    wanted = [one for one in await known_components(exam) if one.kind == "pypi"]
    if not wanted:
        raise Unmeasurable("There are no Python packages to ask about.", fix="Run npm audit beside this.")
    with tempfile.TemporaryDirectory(prefix="shipworthy-audit-") as scratch:
        lines = "".join(f"{one.name}=={one.version}\n" for one in wanted if "+" not in one.version)
        (Path(scratch) / _FILE).write_text(lines, encoding="utf-8")
        told = await hits(PIP_AUDIT, Path(scratch))
    found = [
        exam.finding(
            f"{hit.text}:{hit.rule}",
            Verdict.FAIL,
            f"{hit.text} has a known vulnerability, {hit.rule}",
            severity=Severity.HIGH,
            cause=hit.message,
            fix=f"Upgrade {hit.text.partition(' ')[0]}, and lock the new version.",
        )
        for hit in told
        if hit.rule != _SKIPPED
    ]
    skipped = [hit.text for hit in told if hit.rule == _SKIPPED]
    if skipped:
        title = f"{len(skipped)} of {len(wanted)} packages could not be audited: {', '.join(skipped[:4])}"
        found.append(
            exam.finding(
                "unaudited",
                Verdict.NOT_MEASURED,
                title,
                cause="The index does not know them.",
                fix="Ask where the public index answers.",
            )
        )
    if not found:
        return [
            exam.finding("python", Verdict.PASS, f"None of {len(wanted)} packages has a known vulnerability")
        ]
    return found


async def _scan(program: str, folder: Path) -> list[Hit]:
    arguments = [
        "--requirement",
        _FILE,
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    said = json.loads(await output_of(program, arguments, cwd=folder, ok=(0, 1)) or "{}")
    found = []
    for one in said.get("dependencies", []):
        label = f"{one['name']} {one.get('version', '')}".strip()
        if "skip_reason" in one:
            found.append(Hit(path="", line=0, rule=_SKIPPED, message=one["skip_reason"], text=label))
        for known in one.get("vulns", []):
            text = (known.get("description") or "").partition("\n")[0][:300]
            found.append(Hit(path=_FILE, line=0, rule=known["id"], message=text, text=label))
    return found


def _planted() -> Mapping[str, str]:
    return {_FILE: "jinja2==2.4.1\n"}  # CVE-2014-1402 and later ones


PIP_AUDIT = Tool(
    name="pip-audit",
    install="Install it: pip install pip-audit; it asks the public index, so it needs the internet.",
    scan=_scan,
    planted=_planted,
    sound={_FILE: ""},
)
