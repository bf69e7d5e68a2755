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


async def nothing_dangerous(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each file and rule."""
    folder = Path(exam.target.folder)
    if not any(_python_files(folder)):
        raise Unmeasurable(
            "There is no Python source here, and other languages are not analysed.",
            fix="Run your language's own analyser beside this.",
        )
    grouped: dict[tuple[str, str], list[Hit]] = defaultdict(list)
    for hit in await hits(RUFF, folder):
        grouped[hit.path, hit.rule].append(hit)
    found = [_finding(exam, same) for same in grouped.values()]
    return found or [
        exam.finding(
            "python", Verdict.PASS, f"None of {len(RULES)} dangerous constructs in the Python source"
        )
    ]


def _finding(exam: Exam, same: list[Hit]) -> Finding:
    first = same[0]
    lines = "\n".join(f"{hit.where}  {hit.message}" for hit in same[:_SHOWN_MAX])
    more = f", and {len(same) - 1} times more in this file" if len(same) > 1 else ""
    return exam.finding(
        f"{first.path}:{first.rule}",
        Verdict.FAIL,
        f"{first.where}: {RULES[first.rule]}{more}",
        source=first.where,
        cause=first.message,
        fix=f"See ruff's rule {first.rule}; where it is meant, say so on the line: # noqa: {first.rule} and why.",
        evidence=(Evidence(kind="text", title="Where", text=lines),),
    )


def _python_files(folder: Path) -> list[Path]:
    hidden = (".venv", "venv", "node_modules", ".git")
    return [
        path
        for path in folder.rglob("*.py")
        if not any(part in hidden for part in path.relative_to(folder).parts)
    ]


async def _scan(program: str, folder: Path) -> list[Hit]:
    arguments = ["check", "--isolated", "--no-cache", "--exit-zero", "--output-format", "json",
                 "--select", ",".join(RULES), "."]  # fmt: skip
    return _read(await output_of(program, arguments, cwd=folder), folder)


def _read(said: str, folder: Path) -> list[Hit]:
    return [
        Hit(
            path=str(Path(row["filename"]).resolve().relative_to(folder.resolve())),
            line=int(row["location"]["row"]),
            rule=row["code"],
            message=row["message"],
        )
        for row in json.loads(said)
        if row["code"] in RULES  # a file it cannot parse is told under another name
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
