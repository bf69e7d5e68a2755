"""Answers that hold as long as what they were made of stays the same, kept under a digest of it.

What an answer is made of: the files, the history, the tools, the packages, the declaration, and the examiner
itself. Only what was decided is kept; a tool that was missing is asked for again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from shipworthy import __version__
from shipworthy.contract.finding import Finding
from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Run
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.components import interpreter_of
from shipworthy.gauntlet.repository.source import files_of, is_made_here, own_programs

KEPT_MAX = 200  # answers of all apps of this machine; the oldest go
_HERE = Path(__file__).parent


def held(run: Run, *, tools: Sequence[str] = (), history: bool = False, packages: bool = False) -> Run:
    """Return a check's `run` that answers from what is kept where nothing it depends on has changed.

    `tools` are the programs it asks. With `history` the refs of the repository and the files that are not
    the app's own count, too; with `packages` what is installed where the app runs.
    """

    async def answered(exam: Exam) -> Sequence[Finding]:
        assert exam.planned is not None, "a check is running"
        parts = _parts(exam, tools, history=history, packages=packages)
        digest = _digest([exam.planned.check.name, *parts])
        path = _folder() / f"{exam.planned.check.name}-{digest[:32]}.json"
        if (known := _read(path)) is not None:
            return [replace(one, title=f"{one.title}; unchanged since {digest[:12]}, held") for one in known]
        found = await run(exam)
        if found and all(one.verdict in (Verdict.PASS, Verdict.FAIL) for one in found):
            _keep(path, found)
        return found

    return answered


def _parts(exam: Exam, tools: Sequence[str], *, history: bool, packages: bool) -> Iterator[str]:
    target = exam.target
    folder = Path(target.folder)
    yield __version__
    yield from (_content(path, _HERE) for path in sorted(_HERE.glob("*.py")))
    yield repr((target.manifest.code, target.manifest.migrations, target.start))
    yield from (
        _content(path, folder)
        for path in files_of(folder)
        if not is_made_here(path, folder, report=exam.folder)
    )
    beside = [*own_programs(target), Path(os.environ.get("VIRTUAL_ENV", "")) / "bin"]
    for name in tools:
        found = shutil.which(name, path=os.pathsep.join([*map(str, beside), os.environ.get("PATH", "")]))
        yield f"{name} {_stamp(Path(found)) if found else 'absent'}"
    if history:
        yield _refs(folder)
        yield from (
            _stamp(path)
            for path in sorted(folder.rglob("*"))
            if ".git" not in path.relative_to(folder).parts
            and path.is_file()
            and not is_made_here(path, folder, report=exam.folder)
        )
    if packages:
        yield from _packages(target)


def _packages(target: Target) -> Iterator[str]:
    """Yield what is installed beside the app's interpreter; of what is linked, its files."""
    interpreter = interpreter_of(target)
    if interpreter is None:
        return
    for info in sorted(Path(interpreter).parent.parent.glob("lib/python*/site-packages/*.dist-info")):
        yield info.name
        try:
            said = json.loads((info / "direct_url.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if said.get("dir_info", {}).get("editable"):
            linked = Path(said["url"].removeprefix("file://"))
            yield from (_stamp(path) for path in files_of(linked) if path.suffix == ".py")


def _refs(folder: Path) -> str:
    command = ["git", "-C", str(folder), "show-ref", "--head"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _content(path: Path, folder: Path) -> str:
    try:
        return f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError:
        return f"{path.relative_to(folder)} unreadable"


def _stamp(path: Path) -> str:
    try:
        known = path.stat()
    except OSError:
        return f"{path} gone"
    return f"{path} {known.st_size} {known.st_mtime_ns}"


def _digest(parts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "shipworthy" / "held"


def _read(path: Path) -> list[Finding] | None:
    try:
        text = path.read_text(encoding="utf-8")
        return [decode(Finding, one, source=path.name, text=text) for one in json.loads(text)]
    except (OSError, ValueError, Undecodable):
        return None  # not there, or spoilt: it is asked anew


def _keep(path: Path, found: Sequence[Finding]) -> None:
    """Write an answer, whole or not at all. A cache that cannot be written costs time, and nothing else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as draft:
            json.dump([encode(one) for one in found], draft)
        Path(draft.name).replace(path)
        kept = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
        for oldest in kept[:-KEPT_MAX]:
            oldest.unlink(missing_ok=True)
    except OSError:
        return
