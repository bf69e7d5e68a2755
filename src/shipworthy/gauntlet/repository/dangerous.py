"""Static analysis: code that is dangerous wherever it stands, found by ruff's security rules."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.source import python_files
from shipworthy.gauntlet.repository.tool import Hit, Tool, hits, output_of

# What is a defect in nearly every app. Rules about style, or that are right once in ten times, are not here.
RULES = {
    "S102": "exec runs text as code",
    "S103": "a file everybody may write",
    "S202": "an archive unpacked without a look at its paths",
    "S301": "pickle runs whatever the bytes say",
    "S307": "eval runs text as code",
    "S323": "an unverified TLS context",
    "S324": "MD5 or SHA-1 where it protects something",
    "S501": "certificates are not checked",
    "S502": "an old, broken TLS version",
    "S506": "yaml.load makes any object",
    "S508": "SNMP without protection",
    "S602": "a shell is given a built command",
    "S605": "a shell is given a built command",
    "S608": "SQL is built from strings",
    "S701": "templates that do not escape",
}
_SHOWN_MAX = 20
# A file that is no text it tells only when asked for this; one that is no Python it tells always.
_UNREAD, _UNREADABLE = "unread", "E902"


async def nothing_dangerous(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each file and rule."""
    folder = Path(exam.target.folder)
    if not any(python_files(folder)):
        raise Unmeasurable(
            "There is no Python source here, and other languages are not analysed.",
            fix="Run your language's own analyser beside this.",
        )
    grouped: dict[tuple[str, str], list[Hit]] = defaultdict(list)
    for hit in await hits(RUFF, folder):
        grouped[hit.path, hit.rule].append(hit)
    unread = [hit for (_, rule), same in grouped.items() if rule == _UNREAD for hit in same]
    found = [_finding(exam, same) for (_, rule), same in grouped.items() if rule != _UNREAD]
    if not found:
        title = f"None of {len(RULES)} dangerous constructs in the Python source"
        found.append(exam.finding("python", Verdict.PASS, f"{title} that can be read" if unread else title))
    return [*found, *([_not_read(exam, unread)] if unread else [])]


def _not_read(exam: Exam, unread: list[Hit]) -> Finding:
    files = {hit.path: hit for hit in reversed(unread)}
    return exam.finding(
        "unread",
        Verdict.NOT_MEASURED,
        f"{len(files)} Python files cannot be read: {', '.join(sorted(files)[:4])}",
        cause="What is no Python, or not in UTF-8, is not analysed.",
        fix="Mend the files, or take them out.",
        evidence=(_where(unread),),
    )


def _finding(exam: Exam, same: list[Hit]) -> Finding:
    first = same[0]
    more = f", and {len(same) - 1} times more in this file" if len(same) > 1 else ""
    return exam.finding(
        f"{first.path}:{first.rule}",
        Verdict.FAIL,
        f"{first.where}: {RULES[first.rule]}{more}",
        source=first.where,
        cause=first.message,
        fix=f"See ruff's rule {first.rule}; where it is meant, say so on the line: # noqa: {first.rule} and why.",
        evidence=(_where(same),),
    )


def _where(same: list[Hit]) -> Evidence:
    lines = "\n".join(f"{hit.where}  {hit.message}" for hit in same[:_SHOWN_MAX])
    return Evidence(kind="text", title="Where", text=lines)


async def _scan(program: str, folder: Path) -> list[Hit]:
    arguments = ["check", "--isolated", "--no-cache", "--exit-zero", "--output-format", "json",
                 "--select", ",".join([*RULES, _UNREADABLE]), "."]  # fmt: skip
    return _read(await output_of(program, arguments, cwd=folder), folder)


def _read(said: str, folder: Path) -> list[Hit]:
    return [
        Hit(
            path=str(Path(row["filename"]).resolve().relative_to(folder.resolve())),
            line=int(row["location"]["row"]),
            rule=row["code"] if row["code"] in RULES else _UNREAD,
            message=row["message"],
        )
        for row in json.loads(said)
    ]


def _planted() -> Mapping[str, str]:
    return {
        "shell.py": "import subprocess\n\ndef run(name):\n    subprocess.run(f'ls {name}', shell=True)\n",
        "store.py": "def find(db, name):\n    return db.execute(f\"select * from t where name = '{name}'\")\n",
    }


RUFF = Tool(
    name="ruff",
    install="Install it: pip install ruff.",
    scan=_scan,
    planted=_planted,
    sound={
        "shell.py": "import subprocess\n\n\ndef run(name):\n    subprocess.run(['ls', name], check=True)\n"
    },
)
