"""Lint and format: ruff and black for Python, ESLint and Prettier for JavaScript, by the app's own settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.declared import declared
from shipworthy.gauntlet.repository.source import own_programs, package_of, pyproject_of, python_files
from shipworthy.gauntlet.repository.told import by_file
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of, ran

_RUFF_SETTINGS = ("pyproject.toml", "ruff.toml", ".ruff.toml")
_NODE_SETTINGS = (
    "package.json", "node_modules", "eslint.config.js", "eslint.config.mjs", "eslint.config.cjs", "eslint.config.ts",
    ".prettierrc", ".prettierrc.json", ".prettierrc.yml", "prettier.config.js", "prettier.config.mjs",
)  # fmt: skip
# "would reformat shop.py" of black and of older ruffs; " --> shop.py:3:1" of newer ones.
_UNFORMATTED = re.compile(
    r"^(?:[Ww]ould reformat:? (?P<file>.+)|\s*--> (?P<place>.+?):(?P<line>\d+):\d+)$", re.MULTILINE
)
_ESLINT_ERROR = 2  # 1 is a warning, which the app's own run lets pass
_NO_TOOL = "Declare a command of your own: [[code]] with kind, run and planted."


async def linted(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each file in which a linter finds a defect."""
    if (own := await declared(exam, "lint")) is not None:
        return own
    folder, asked = Path(exam.target.folder), {}
    if python_files(folder):
        asked["ruff check --fix"] = RUFF_LINT
    if package_of(folder):
        asked["npx eslint --fix ."] = ESLINT
    if not asked:
        raise Unmeasurable("Neither Python source nor a package.json was found to lint.", fix=_NO_TOOL)
    return await all_asked(exam, asked)


async def formatted(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each file that the app's own formatter would write otherwise."""
    if (own := await declared(exam, "format")) is not None:
        return own
    folder, asked = Path(exam.target.folder), {}
    package = package_of(folder)
    if python_files(folder):
        tools = pyproject_of(folder).get("tool", {})
        if "black" in tools:
            asked["black ."] = BLACK
        elif "ruff" in tools or any((folder / name).is_file() for name in _RUFF_SETTINGS[1:]):
            asked["ruff format"] = RUFF_FORMAT
    if "prettier" in {**package.get("devDependencies", {}), **package}:
        asked["npx prettier --write ."] = PRETTIER
    if not asked:
        why = "The app does not say which formatter it keeps to."
        raise Unmeasurable(why, fix=f"Say so: a section [tool.ruff] in pyproject.toml. {_NO_TOOL}")
    return await all_asked(exam, asked)


async def all_asked(exam: Exam, asked: Mapping[str, Tool]) -> list[Finding]:
    """Ask each tool; one that is missing does not hide what another found. `asked` says how a person mends it."""
    folder, found = Path(exam.target.folder), []
    for command, tool in asked.items():
        try:
            told = await hits(tool, folder, beside=own_programs(exam.target))
        except Unmeasurable as absent:
            title = f"{tool.name} could not be asked"
            found.append(
                exam.finding(tool.name, Verdict.NOT_MEASURED, title, cause=absent.why, fix=absent.fix)
            )
            continue
        found += by_file(exam, told, fix=f"In the app's folder: {command}, and mend what is left.")
        if not told:
            found.append(exam.finding(tool.name, Verdict.PASS, f"{tool.name} finds nothing to object to"))
    return found


async def _ruff(program: str, folder: Path) -> list[Hit]:
    said = await output_of(
        program, ["check", "--no-cache", "--exit-zero", "--output-format", "json", "."], cwd=folder
    )
    return [
        Hit(
            path=_relative(row["filename"], folder),
            line=int(row["location"]["row"]),
            rule=row["code"] or "syntax",
            message=row["message"],
        )
        for row in json.loads(said)
    ]


async def _would_reformat(program: str, folder: Path) -> list[Hit]:
    is_ruff = Path(program).name == "ruff"
    arguments = ["format", "--check", "--no-cache", "."] if is_ruff else ["--check", "--no-color", "."]
    ended = await ran(program, arguments, cwd=folder)
    if ended.status not in (0, 1):
        raise Unmeasurable(f"{Path(program).name} ended with exit status {ended.status}: {ended.last_words}")
    return [  # black says it on the second way out
        Hit(path=_relative(match["file"] or match["place"], folder), line=int(match["line"] or 1), rule="",
            message="is not formatted")
        for match in _UNFORMATTED.finditer(ended.out + ended.err)
    ]  # fmt: skip


async def _eslint(program: str, folder: Path) -> list[Hit]:
    said = await output_of(program, ["--format", "json", "."], cwd=folder, ok=(0, 1))
    return [
        Hit(
            path=_relative(file["filePath"], folder),
            line=int(row.get("line") or 1),
            rule=row.get("ruleId") or "syntax",
            message=row["message"],
        )
        for file in json.loads(said)
        for row in file["messages"]
        if row.get("severity") == _ESLINT_ERROR
    ]


async def _prettier(program: str, folder: Path) -> list[Hit]:
    said = await output_of(program, ["--list-different", "--no-color", "."], cwd=folder, ok=(0, 1))
    return [Hit(path=name, line=1, rule="", message="is not formatted") for name in said.splitlines() if name]


def _relative(name: str, folder: Path) -> str:
    path = Path(name)
    return str(path.resolve().relative_to(folder.resolve())) if path.is_absolute() else name


def _undefined() -> Mapping[str, str]:
    return {"planted.py": "def total():\n    return amuont\n"}


def _crooked() -> Mapping[str, str]:
    return {"planted.py": "totals = {  'one':1 }\n"}


RUFF_LINT = Tool(
    name="ruff",
    install="Install it: pip install ruff.",
    scan=_ruff,
    planted=_undefined,
    sound={"sound.py": "def total():\n    return 1\n"},
    settings=_RUFF_SETTINGS,
)
RUFF_FORMAT = replace(
    RUFF_LINT, scan=_would_reformat, planted=_crooked, sound={"sound.py": 'totals = {"one": 1}\n'}
)
BLACK = replace(RUFF_FORMAT, name="black", install="Install it: pip install black.")
ESLINT = Tool(
    name="eslint",
    install="Install it: npm install --save-dev eslint @eslint/js, and npm init @eslint/config.",
    scan=_eslint,
    planted=lambda: {"planted.js": "debugger;\n"},
    sound={},
    settings=_NODE_SETTINGS,
)
PRETTIER = Tool(
    name="prettier",
    install="Install it: npm install --save-dev prettier.",
    scan=_prettier,
    planted=lambda: {"planted.js": "const  totals = {one:1 }\n"},
    sound={"sound.js": "const totals = { one: 1 };\n"},
    settings=_NODE_SETTINGS,
)
