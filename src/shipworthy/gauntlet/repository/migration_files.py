"""The files of an app's migrations: which phase each says it is of, and whether what it does fits.

"expand" runs while the previous release still serves, so it must take nothing away from it; "contract" runs
when that is gone. The examiner's own reading knows statements by their words; squawk, which parses SQL, is
asked as well. What either says about locks is not guessed here: `migrations.locks` measures it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Migrations
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.told import by_file
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of

FILES_MAX = 2_000
_PHASE = re.compile(r"^\s*--\s*phase:\s*(expand|contract)\b", re.IGNORECASE | re.MULTILINE)
_PHASE_IN_NAME = re.compile(r"(?:^|_)(pre|post|expand|contract)_")
_EXPANDS = {"pre": "expand", "post": "contract"}
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1|'(?:[^']|'')*'", re.DOTALL)
# What the previous release trips over: what it reads or writes is gone, has another name or shape, or is asked of it.
_BREAKS = (
    (
        re.compile(r"^drop (?:table|view|materialized view|schema|type) (?:if exists )?(?P<what>[\w. \"]+)"),
        "drops {what}",
    ),
    (re.compile(r"\bdrop column (?:if exists )?(?P<what>[\w\"]+)"), "drops the column {what}"),
    (re.compile(r"^alter table .*\brename (?:column |to )?(?P<what>[\w\"]+)"), "renames {what}"),
    # Text of any length stays what it was to who reads and writes text.
    (re.compile(r"\balter (?:column )?(?P<what>[\w\"]+) (?:set data )?type (?!text\b)"), "retypes {what}"),
    (re.compile(r"\balter (?:column )?(?P<what>[\w\"]+) set not null"), "asks for a value of {what}"),
)
_ADDED = re.compile(
    r"\badd (?:column )?(?:if not exists )?(?P<what>(?!constraint\b)[\w\"]+) (?P<rest>[^,]*\bnot null\b[^,]*)"
)
_HAS_VALUE = re.compile(r"\bdefault\b|\bgenerated\b|\bserial\b|\bbigserial\b")
_CREATED = re.compile(r"^create (?:unlogged )?table (?:if not exists )?([\w.\"]+)")
_ALTERED = re.compile(r"^alter table (?:if exists )?(?:only )?([\w.\"]+)")
_DROPPED = re.compile(r"^drop table (?:if exists )?([\w.\"]+)")
# What is wrong in every migration. Of the others: a style is no defect, a lock is measured, a phase is judged above.
SQUAWK_RULES = (
    "syntax-error",
    "ban-drop-column",
    "ban-drop-table",
    "ban-drop-database",
    "ban-truncate-cascade",
    "renaming-column",
    "renaming-table",
    "adding-required-field",
    "transaction-nesting",
    "ban-concurrent-index-creation-in-transaction",
)
_ONLY_IN_CONTRACT = frozenset({"ban-drop-column", "ban-drop-table", "renaming-column", "renaming-table"})


@dataclass(frozen=True, kw_only=True)
class MigrationFile:
    """The way up of one migration. `phase` is empty where it says none."""

    path: Path
    phase: str

    @property
    def label(self) -> str:
        """The room (or folder) it stands in and its name, as `migrate status` tells it."""
        folder = self.path.parent
        return f"{(folder.parent if folder.name == 'migrations' else folder).name}/{self.path.name}"


async def phases_kept(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each migration that says no phase, or that does what its phase forbids."""
    files, found = migration_files(exam.target), []
    for file in files:
        if not file.phase:
            found.append(
                exam.finding(
                    file.label,
                    Verdict.FAIL,
                    f"{file.label} does not say whether the previous release survives it",
                    cause="Without a phase nobody knows whether it may run before the new release or only after the old.",
                    fix="Say so on its first line: -- phase: expand, or -- phase: contract.",
                    source=str(file.path),
                )
            )
        elif file.phase == "expand" and (
            broken := breaking(file.path.read_text(encoding="utf-8", errors="replace"))
        ):
            found.append(
                exam.finding(
                    file.label,
                    Verdict.FAIL,
                    f"{file.label} says expand, and {broken[0]}",
                    cause=f"It {'; it '.join(broken)}: the previous release, which still serves, trips over that.",
                    fix="Make it two: one that adds (expand), and one that takes away (contract) a release later.",
                    source=str(file.path),
                )
            )
    if found:
        return found
    contracts = sum(file.phase == "contract" for file in files)
    title = f"{len(files) - contracts} migrations take nothing from the previous release, {contracts} wait until it is gone"
    return [exam.finding("all", Verdict.PASS, title, measures=(_count(files),))]


async def sql_linted(exam: Exam) -> Sequence[Finding]:
    """Return what squawk finds in the migrations."""
    files = {str(file.path): file for file in migration_files(exam.target)}
    told = [
        replace(hit, path=files[hit.path].label)
        for hit in await hits(_squawk(list(files)), Path(exam.target.folder))
        if not (hit.rule in _ONLY_IN_CONTRACT and files[hit.path].phase == "contract")
    ]
    if told:
        return by_file(
            exam,
            told,
            fix="See squawk's page on the rule; what takes away belongs into a contract migration.",
        )
    title = f"squawk finds none of {len(SQUAWK_RULES)} kinds of mistakes in {len(files)} migrations"
    return [exam.finding("all", Verdict.PASS, title, measures=(_count(list(files.values())),))]


def _squawk(files: Sequence[str]) -> Tool:
    """squawk about these files; in a folder of planted ones about those."""

    async def scan(program: str, folder: Path) -> list[Hit]:
        planted = _planted_in(folder)
        said = await output_of(
            program, ["--reporter", "json", "--pg-version", "18", *(planted or files)], cwd=folder, ok=(0, 1)
        )
        return [
            Hit(path=row["file"] if not planted else Path(row["file"]).name, line=int(row["line"]) + 1,
                rule=row["rule_name"], message=row["message"])
            for row in json.loads(said or "[]")
            if row["rule_name"] in SQUAWK_RULES
        ]  # fmt: skip

    return Tool(
        name="squawk",
        install="Install it: pip install squawk-cli.",
        scan=scan,
        planted=lambda: {
            "planted_or_sound_1.sql": "alter table note drop column text;\n",
            "planted_or_sound_2.sql": "alter table note rename to letter;\n",
            "planted_or_sound_3.sql": "creat table note (note_id int);\n",
        },
        sound={"planted_or_sound_1.sql": "alter table note add column pinned boolean;\n"},
    )


def _planted_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.glob("planted_or_sound_*.sql"))


def migration_files(target: Target) -> list[MigrationFile]:
    """Return the app's migrations in the order of their names. Errors: Unmeasurable when there are none."""
    migrations = target.manifest.migrations
    assert migrations is not None, "the plan asks for the capability"
    paths = list(dict.fromkeys(_paths(migrations, Path(target.folder))))
    if not paths:
        raise Unmeasurable(
            f"No file fits {', '.join(migrations.files)}.", fix="Mend the pattern in [migrations] files."
        )
    if len(paths) > FILES_MAX:
        raise Unmeasurable(f"More than {FILES_MAX:,} files fit {', '.join(migrations.files)}.")
    return [MigrationFile(path=path, phase=_phase(path)) for path in paths]


def breaking(sql: str) -> list[str]:
    """Return what a script does that a release which does not know it trips over, in words.

    A table that the script itself makes is nobody's yet. Example: breaking("drop table note") == ["drops note"].
    """
    found: dict[str, None] = {}
    made: set[str] = set()
    for statement in _statements(sql):
        if created := _CREATED.match(statement):
            made.add(created.group(1))
        touched = _ALTERED.match(statement) or _DROPPED.match(statement)
        if touched and touched.group(1) in made:
            continue
        for pattern, words in _BREAKS:
            for match in pattern.finditer(statement):
                found[words.format(what=match["what"].strip())] = None
        if _ALTERED.match(statement):
            for match in _ADDED.finditer(statement):
                if not _HAS_VALUE.search(match["rest"]):
                    found[f"asks for a value of {match['what']}"] = None
    return list(found)


def _statements(sql: str) -> Iterator[str]:
    bare = _NOISE.sub(lambda noise: "" if noise.group().startswith(("--", "/*")) else "''", sql)
    yield from (words for part in bare.lower().split(";") if (words := " ".join(part.split())))


def _paths(migrations: Migrations, folder: Path) -> Iterator[Path]:
    for pattern in migrations.files:
        place = Path(pattern)
        root, inner = (
            (Path(place.anchor), pattern[len(place.anchor) :]) if place.is_absolute() else (folder, pattern)
        )
        yield from sorted(path for path in root.glob(inner) if path.is_file())


def _phase(path: Path) -> str:
    if said := _PHASE.search(path.read_text(encoding="utf-8", errors="replace")):
        return said.group(1).lower()
    named = _PHASE_IN_NAME.search(path.name)
    return _EXPANDS.get(named.group(1), named.group(1)) if named else ""


def _count(files: Sequence[MigrationFile]) -> Measure:
    return Measure(name="migrations", unit="files", estimate=len(files))
