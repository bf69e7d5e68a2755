"""Types: mypy for Python, the TypeScript compiler for JavaScript, where the app says that it keeps to them."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shipworthy.contract.finding import Finding
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.components import interpreter_of
from shipworthy.gauntlet.repository.declared import declared
from shipworthy.gauntlet.repository.linted import all_asked
from shipworthy.gauntlet.repository.source import pyproject_of
from shipworthy.gauntlet.repository.tool import Hit, Tool, output_of, ran

_MYPY_SETTINGS = ("pyproject.toml", "mypy.ini", ".mypy.ini", "setup.cfg")
_TSC_LINE = re.compile(
    r"^(?P<path>[^(\n]+)\((?P<line>\d+),\d+\): error (?P<rule>TS\d+): (?P<message>.+)$", re.M
)
_PLANTED_PROJECT = json.dumps({"extends": "./tsconfig.json", "include": [], "files": ["planted.ts"]})
_WHERE = frozenset({"files", "packages", "modules"})  # settings of mypy that say where it looks
_TIMEOUT_S = 300.0  # a large app, without a cache


async def typed(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each file in which the types contradict themselves."""
    if (own := await declared(exam, "types")) is not None:
        return own
    folder, asked = Path(exam.target.folder), {}
    if (settings := _mypy_settings(folder)) is not None:
        asked["mypy"] = _mypy(folder, interpreter_of(exam.target), names_files=bool(_WHERE & settings.keys()))
    if (folder / "tsconfig.json").is_file():
        asked["npx tsc --noEmit"] = _tsc(folder)
    if not asked:
        raise Unmeasurable(
            "The app does not say that its types are checked: neither settings for mypy nor a tsconfig.json.",
            fix="Say so: a section [tool.mypy] in pyproject.toml; or declare a command: [[code]] with kind, run and planted.",
        )
    return await all_asked(exam, asked)


def _mypy_settings(folder: Path) -> dict[str, Any] | None:
    said: dict[str, Any] | None = pyproject_of(folder).get("tool", {}).get("mypy")
    for name in _MYPY_SETTINGS[1:]:
        if said is None and (folder / name).is_file():
            reader = configparser.ConfigParser(interpolation=None)
            try:
                reader.read(folder / name, encoding="utf-8")
            except configparser.Error as broken:
                raise Unmeasurable(f"{name} cannot be read: {broken}.", fix="Mend it.") from broken
            said = dict(reader["mypy"]) if "mypy" in reader else None
    return said


def _mypy(app: Path, interpreter: str | None, *, names_files: bool) -> Tool:
    """mypy as the app runs it: by its settings, about its own interpreter's packages."""

    async def scan(program: str, folder: Path) -> list[Hit]:
        # What the settings say of where to look holds in the app's folder, and nowhere else.
        where = [] if names_files and folder == app else ["."]
        about = ["--python-executable", interpreter] if interpreter else []
        arguments = ["--output", "json", "--no-incremental", "--cache-dir", "/dev/null", *about, *where]
        ended = await ran(program, arguments, cwd=folder, timeout_s=_TIMEOUT_S)
        rows = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{")]
        if ended.status not in (0, 1) and not rows:
            raise Unmeasurable(f"mypy ended with exit status {ended.status}: {ended.last_words}")
        return [
            Hit(
                path=row["file"],
                line=max(1, int(row["line"])),
                rule=row["code"] or "",
                message=row["message"],
            )
            for row in rows
            if row["severity"] == "error"
        ]

    return Tool(
        name="mypy",
        install="Install it: pip install mypy.",
        scan=scan,
        planted=lambda: {"planted.py": 'total: int = "one"\n'},
        sound={"sound.py": "total: int = 1\n"},
        settings=_MYPY_SETTINGS,
    )


def _tsc(app: Path) -> Tool:
    """The TypeScript compiler by the app's settings."""

    async def scan(program: str, folder: Path) -> list[Hit]:
        project = "tsconfig.json"
        if folder != app and (folder / "planted.ts").is_file():
            # The app's own list of files would leave the planted one out; all else of its settings holds.
            project = "planted.json"
            (folder / project).write_text(_PLANTED_PROJECT, encoding="utf-8")
        arguments = ["--noEmit", "--pretty", "false", "--project", project]
        said = await output_of(program, arguments, cwd=folder, ok=(0, 1, 2), timeout_s=_TIMEOUT_S)
        return [
            Hit(path=match["path"], line=int(match["line"]), rule=match["rule"], message=match["message"])
            for match in _TSC_LINE.finditer(said)
        ]

    return Tool(
        name="tsc",
        install="Install it: npm install --save-dev typescript.",
        scan=scan,
        planted=lambda: {"planted.ts": 'export const total: number = "one";\n'},
        sound={
            "sound.ts": "export const total: number = 1;\n",
            "tsconfig.json": json.dumps({"files": ["sound.ts"]}),
        },
        settings=("tsconfig.json", "package.json", "node_modules"),
    )
