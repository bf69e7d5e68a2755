"""The wheel of an app that is a package: built by its own backend, opened, and looked into.

The backend is called where the app runs, without the internet; a copy of the app is built, so that nothing is
left in its folder. A wheel that holds no module was built in vain, whatever the backend says.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.components import interpreter_of
from shipworthy.gauntlet.repository.source import files_of, pyproject_of
from shipworthy.gauntlet.repository.tool import ran

BUILD_TIMEOUT_S = 240.0
_NO_BACKEND = 77  # our own exit status for it
_ASK = f"""
import functools, importlib, sys
out, backend, *beside = sys.argv[1:]
sys.path[:0] = beside
name, _, inner = backend.partition(":")
try:
    module = importlib.import_module(name)
except ImportError as missing:
    sys.stderr.write(str(missing))
    sys.exit({_NO_BACKEND})
hook = functools.reduce(getattr, filter(None, inner.split(".")), module)
hook.build_wheel(out)
"""
_OLD_BACKEND = "setuptools.build_meta:__legacy__"  # what pip takes where a package names none (PEP 517)


async def wheel_builds(exam: Exam) -> Sequence[Finding]:
    """Return whether the wheel builds and holds the app."""
    folder, said = Path(exam.target.folder), pyproject_of(Path(exam.target.folder))
    if "project" not in said and "build-system" not in said:
        raise Unmeasurable(
            "The app is no package of Python's: its pyproject.toml has no [project].",
            fix="Nothing is owed where something else is shipped, such as a container image.",
        )
    interpreter = interpreter_of(exam.target)
    if interpreter is None:
        raise Unmeasurable(
            "The Python that the app runs with is not known.",
            fix="Make a .venv in its folder, or start it by one.",
        )
    system = said.get("build-system", {})
    backend, beside = system.get("build-backend", _OLD_BACKEND), system.get("backend-path", [])
    with tempfile.TemporaryDirectory(prefix="shipworthy-wheel-") as scratch:
        copy, out = Path(scratch) / "app", Path(scratch) / "out"
        out.mkdir()
        _copied(folder, copy)
        ended = await ran(
            interpreter, ["-c", _ASK, str(out), backend, *beside], cwd=copy, timeout_s=BUILD_TIMEOUT_S
        )
        if ended.status == _NO_BACKEND:
            needs = " ".join(system.get("requires", ["setuptools"]))
            raise Unmeasurable(
                f"What builds the wheel is not installed where the app runs: {ended.last_words}",
                fix=f"Install it: pip install {needs}.",
            )
        wheels = sorted(out.glob("*.whl"))
        if ended.status != 0 or not wheels:
            return [_failed(exam, "The wheel does not build", ended.err or ended.out)]
        return [_looked_into(exam, wheels[0])]


def _looked_into(exam: Exam, wheel: Path) -> Finding:
    with zipfile.ZipFile(wheel) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/")]
    held = [name for name in names if ".dist-info/" not in name]
    size = Measure(name="wheel", unit="bytes", estimate=wheel.stat().st_size)
    if not any(name.endswith((".py", ".so", ".pyd")) for name in held):
        return _failed(exam, f"{wheel.name} holds no module", "\n".join(names))
    title = f"{wheel.name} builds and holds {len(held)} files"
    return exam.finding("wheel", Verdict.PASS, title, measures=(size,))


def _failed(exam: Exam, title: str, said: str) -> Finding:
    said = said.strip()[-4_000:]
    return exam.finding(
        "wheel",
        Verdict.FAIL,
        title,
        cause=said.rpartition("\n")[2],
        fix="Mend [project] and [build-system] in pyproject.toml until `python -m build --wheel` gives what you ship.",
        evidence=(Evidence(kind="log", title="It said", text=said),),
    )


def _copied(folder: Path, copy: Path) -> None:
    for path in files_of(folder):
        (copy / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / path.relative_to(folder))
