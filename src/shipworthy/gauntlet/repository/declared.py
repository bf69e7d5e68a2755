"""The app's own commands about its own code ([[code]]): their red counts, their green only after a proof.

For languages the examiner knows no tool of. The proof: on a copy of the app with the declared defect in it,
the command must end otherwise than on the app itself.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.evidence import clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.source import NOT_SOURCE
from shipworthy.gauntlet.repository.tool import ran

COMMAND_TIMEOUT_S = 300.0


async def declared(exam: Exam, kind: str) -> list[Finding] | None:
    """Return what the app's own commands of one kind conclude; None where it declares none."""
    commands = [command for command in exam.manifest.code if command.kind == kind]
    if not commands:
        return None
    return [await outcome(exam, command.run, command.planted) for command in commands]


async def outcome(exam: Exam, run: str, planted: Mapping[str, str]) -> Finding:
    """Run a command on the app, and if it is content, on a copy with the planted defect.

    Errors:  Unmeasurable when it does not start, takes too long, or what is planted lies outside the app.
    """
    folder = Path(exam.target.folder)
    status, said = await _ran(run, folder)
    shown = (Evidence(kind="log", title="It said", text=clipped(said or "nothing")),)
    if status != 0:
        title = f"{run} ended with exit status {status}"
        fix = f"Run it in the app's folder: {run}"
        return exam.finding(run, Verdict.FAIL, title, cause=said.rpartition("\n")[2], fix=fix, evidence=shown)
    if not planted:
        return exam.finding(
            run,
            Verdict.NOT_MEASURED,
            f"{run} is content, and nobody knows whether it would ever not be",
            cause="No defect is declared that it must find.",
            fix='Declare one: planted = { "path/of/a/file" = "what is wrong in it" }.',
        )
    with tempfile.TemporaryDirectory(prefix="shipworthy-planted-") as scratch:
        status, _ = await _ran(run, _with_defect(folder, planted, Path(scratch) / "app"))
    if status == 0:
        return exam.finding(
            run,
            Verdict.NOT_MEASURED,
            f"{run} did not find the defect planted for it ({next(iter(planted))})",
            cause="Its silence would mean nothing.",
            fix="Plant a defect it looks for, or mend the command.",
        )
    return exam.finding(run, Verdict.PASS, f"{run} is content, and finds what is planted", evidence=shown)


def _with_defect(folder: Path, planted: Mapping[str, str], copy: Path) -> Path:
    installed = NOT_SOURCE | {".venv", ".git", ".shipworthy"}
    shutil.copytree(folder, copy, ignore=lambda _, names: [n for n in names if n in installed], symlinks=True)
    for name in ("node_modules", ".venv", "venv"):
        if (folder / name).is_dir():
            (copy / name).symlink_to(folder / name, target_is_directory=True)
    for name, text in planted.items():
        path = (copy / name).resolve()
        if not path.is_relative_to(copy.resolve()):
            raise Unmeasurable(f"The planted file {name} lies outside the app.", fix="Give a path inside it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return copy


async def _ran(run: str, folder: Path) -> tuple[int, str]:
    words = [word.replace("{python}", sys.executable) for word in shlex.split(run)]
    if not words:
        raise Unmeasurable("The declared command is empty.", fix="Say what to run.")
    ended = await ran(words[0], words[1:], cwd=folder, timeout_s=COMMAND_TIMEOUT_S)
    return ended.status, f"{ended.out}{ended.err}".strip()
