"""Flag debt fails the build: every flag the manifest declares has an owner and a day, and the day is not past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from shipworthy.contract.finding import Finding
from shipworthy.contract.flag_debt import flag_debts
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam


async def no_flag_debt(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each debt; without flags nothing was measured."""
    flags = exam.target.manifest.flags
    if not flags:
        return [
            exam.finding(
                "flags",
                Verdict.NOT_MEASURED,
                "The app declares no feature flags",
                cause="Whether it has any, and since when, is known from what it declares only.",
                fix="Declare them in the manifest, `flags`, with owner and expires.",
            )
        ]
    debts = flag_debts(flags, today=datetime.now(UTC).date())
    rows = [(flag.name, flag.owner, flag.expires, "on" if flag.default else "off") for flag in flags]
    evidence = (table_evidence("Flags", ("flag", "owner", "until", "default"), rows),)
    if not debts:
        title = f"{len(flags)} flag{'' if len(flags) == 1 else 's'}, each with an owner and a day to go"
        return [exam.finding("flags", Verdict.PASS, title, evidence=evidence)]
    return [
        exam.finding(
            debt.flag,
            Verdict.FAIL,
            f"The flag {debt.flag} {debt.why}",
            severity=Severity.LOW,
            cause="A flag that stays doubles what has to be tested, and nobody remembers which side is in use.",
            fix=debt.fix,
            evidence=evidence,
        )
        for debt in debts
    ]
