"""`make proof NAME=red_runs`: four commits, each of which one stage must stop, by name; the untouched app is green there.

A scaffolded app with its history. A commit puts a secret into its files; three change its rooms, in a copy of their
sources: a migration without a way back, a page that breaks its objective, a flow that breaks in the browser.
About twelve minutes on two quiet cores. `--only flow` looks at one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import open_directory
from tests.support.product import Patch, patched_sources
from tests.support.up import scaffold

from benchmarks.report import Report, publish, show_table
from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict, overall
from shipworthy.gauntlet.adapters.shipworthy import COMMAND, describe
from shipworthy.gauntlet.repository.leaked import GITLEAKS
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages import ALL_CHECKS

_BOUNDS = {"red_runs": "4 of 4, each with its finding", "green_runs": "4 of 4: the same stage, untouched"}
_MIGRATION = "rooms/invoicing/migrations/9000_pre_nickname"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A change, the stage that must stop it, and how the finding begins that says so."""

    name: str
    words: str
    stage: str
    finding: str
    make: Callable[[Path, Path], Sequence[str]]  # app, scratch -> the command that runs the changed app


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a stage said of a version."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    took_s: float

    @property
    def failed(self) -> list[str]:
        return [one.id for one in self.findings if one.verdict is Verdict.FAIL]

    def is_green(self, finding: str) -> bool:
        """Say whether nothing failed, and the very check that a commit must turn red passed."""
        asked = [one for one in self.findings if one.id.startswith(finding.partition(":")[0])]
        return not self.failed and any(one.verdict is Verdict.PASS for one in asked)


def _secret(app: Path, _scratch: Path) -> Sequence[str]:
    (app / "deploy.py").write_text(GITLEAKS.planted()["settings.py"], encoding="utf-8")
    return COMMAND


def _migration(_app: Path, scratch: Path) -> Sequence[str]:
    sources = patched_sources(scratch, [])
    migration = sources / "shipworthy" / _MIGRATION
    migration.with_name(f"{migration.name}.up.sql").write_text(
        "alter table customer add column nickname text;\n"
    )
    migration.with_name(f"{migration.name}.down.sql").write_text("-- nobody ever goes back\nselect 1;\n")
    return _with(sources)


def _slow(_app: Path, scratch: Path) -> Sequence[str]:
    begins = "    async def _serve(self, scope: Any, receive: Any, send: Any) -> int:\n"
    at_once = "    def at_once(self, request: Mapping[str, Any]) -> tuple[bytes, bytes] | None:\n"
    patches = [
        Patch(file="rooms/site/lane.py", old=begins, new=f"{begins}        await asyncio.sleep(0.3)\n"),
        Patch(file="rooms/site/lane.py", old=at_once, new=f"{at_once}        return None\n"),
    ]
    return _with(patched_sources(scratch, patches))


def _flow(_app: Path, scratch: Path) -> Sequence[str]:
    patch = Patch(file="rooms/auth/templates/mail/confirm.txt", old="{{ link }}", new="")
    return _with(patched_sources(scratch, [patch]))


COMMITS = (
    Commit(
        name="secret", words="a token in a file", stage="s4", finding="build.secrets:deploy.py:", make=_secret
    ),
    Commit(
        name="migration",
        words="a migration that cannot be taken back",
        stage="s3",
        finding="migrations.back_and_forth:",
        make=_migration,
    ),
    Commit(name="slo", words="pages 300 ms slower", stage="load", finding="slo.page:", make=_slow),
    Commit(
        name="flow", words="a mail without its link", stage="s5", finding="preview.flow:sign_up", make=_flow
    ),
)


def main() -> int:
    """Run the stages on the app as it is and as each commit leaves it; 1 where one is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[commit.name for commit in COMMITS])
    only = parser.parse_args().only
    chosen = [commit for commit in COMMITS if only in (None, commit.name)]
    rows, notes, red, green = [], [], 0, 0
    with open_directory() as folder:
        home = scaffold(folder / "studio", rooms="invoicing,site")
        _git(home, "init", "-q")
        _commit(home, "As it was made")
        for commit in chosen:
            before = asyncio.run(_ran(home, COMMAND, commit.stage))
            after = _after(commit, home)
            found = [one for one in after.failed if one.startswith(commit.finding)]
            red += bool(found)
            green += before.is_green(commit.finding)
            rows.append(
                (commit.words, commit.stage, before.verdict, before.took_s, after.verdict, after.took_s, ", ".join(found) or "-")
            )  # fmt: skip
            if before.verdict is not Verdict.PASS:
                notes.append(f"{commit.stage} on the untouched app: {', '.join(_not_green(before))}")
            if others := [one for one in after.failed if one not in found]:
                notes.append(f"{commit.words} also fails {', '.join(others[:5])}")
            sys.stderr.write(f"{commit.name}: {before.verdict} before, {after.verdict} after: {found}\n")
    show_table("four red runs", ("commit", "stage", "before", "s", "after", "s", "finding"), rows)
    figures = {"red_runs": red, "green_runs": green, "commits": len(chosen)}
    publish(
        Report(name="proof-red-runs", figures=figures, valid=len(chosen) == len(COMMITS), notes=notes),
        bounds=_BOUNDS,
    )
    return 0 if red == green == len(chosen) else 1


def _after(commit: Commit, home: Path) -> Ran:
    """Make the commit, run its stage, and take it out of the history again."""
    with tempfile.TemporaryDirectory(prefix="shipworthy-red-") as scratch:
        Path(scratch).chmod(0o755)
        command = commit.make(home, Path(scratch))
        _commit(home, commit.words)
        try:
            return asyncio.run(_ran(home, command, commit.stage))
        finally:
            _git(home, "reset", "-q", "--hard", "HEAD~1")


async def _ran(home: Path, command: Sequence[str], stage: str) -> Ran:
    began_s = time.monotonic()
    target = await describe(home, command=command)
    result = await run(target, ALL_CHECKS, stages=(stage,))
    verdict = overall(one.verdict for one in result.findings) if result.valid else Verdict.INCONCLUSIVE
    return Ran(verdict=verdict, findings=result.findings, took_s=round(time.monotonic() - began_s, 1))


def _not_green(ran: Ran) -> list[str]:
    return [
        f"{one.id} ({one.verdict})"
        for one in ran.findings
        if one.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
    ]


def _with(sources: Path) -> Sequence[str]:
    return ("env", f"PYTHONPATH={sources}", *COMMAND)


def _commit(home: Path, words: str) -> None:
    _git(home, "add", "--all")
    _git(home, "commit", "-q", "--allow-empty", "-m", words)


def _git(home: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Proof", "-c", "user.email=proof@proof.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(home), *who, *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
