"""`make proof NAME=strangers`: four apps that nobody here wrote, each from `shipworthy init` to its verdict.

Each is installed at a pinned version below build/peers and set up as its manual says, in a folder of its own; then
`shipworthy init` looks at it, a person adds what only its owner knows (counted in lines), and `shipworthy gauntlet
--quick` judges it. Every failed finding was judged by hand: judged.toml says which are true and why. One that is
not judged there, or judged false, fails the proof: a false one is a defect of the gauntlet.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from tests.support.postgres import fresh_cluster

from benchmarks.app import SHIPWORTHY
from benchmarks.proofs.strangers.apps import HERE, STRANGERS, Stranger
from benchmarks.report import Figure, Report, publish, show_table

LOAD_PER_CORE_MAX = 1.0  # five-minute average; beyond it a core was shared all the time
_TIMED = ("slo.", "vitals.")
_BOUNDS = {"apps": "4 owed", "false": "0", "unjudged": "0"}


@dataclass(frozen=True)
class Examined:
    """What came of one app."""

    stranger: Stranger
    minutes: float
    lines_by_hand: int
    result: dict[str, Any]

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [f for f in self.result["findings"] if f["verdict"] == "FAIL"]


def main() -> int:
    """Examine each and say what came of it; 1 when a finding is false or was not judged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="one app, by its name")
    asked = parser.parse_args()
    chosen = [s for s in STRANGERS if asked.only in ("", s.name)]
    judged = tomllib.loads((HERE / "judged.toml").read_text(encoding="utf-8"))
    notes, seen = [], []
    with fresh_cluster() as cluster:
        for stranger in chosen:
            where = stranger.install()
            if where is None:
                notes.append(f"{stranger.name} could not be installed")
                continue
            seen.append(_examined(stranger, where, cluster.url()))
            _tell(seen[-1], judged.get(stranger.name, {}))
    tally = Counter(_word(one, f, judged) for one in seen for f in one.failed)
    figures: dict[str, Figure] = {"apps": len(seen)}
    for one in seen:
        figures |= {
            f"{one.stranger.name}_minutes": one.minutes,
            f"{one.stranger.name}_lines_by_hand": one.lines_by_hand,
            f"{one.stranger.name}_verdict": one.result["verdict"],
            f"{one.stranger.name}_coverage": round(one.result["coverage"], 2),
        }
    figures |= {word: tally[word] for word in ("true", "false", "unjudged", "machine")}
    is_whole = len(seen) == len(STRANGERS) and all(one.result["valid"] for one in seen)
    publish(Report(name="proof-strangers", figures=figures, valid=is_whole, notes=notes), bounds=_BOUNDS)
    return int(bool(tally["false"] or tally["unjudged"] or not is_whole))


def _examined(stranger: Stranger, where: Path, admin_url: str) -> Examined:
    """Set it up by its own manual, then begin to count the time: what is ours begins with init."""
    with tempfile.TemporaryDirectory(prefix=f"strangers-{stranger.name}-") as scratch:
        folder = Path(scratch) / "app"
        folder.mkdir()
        database = _database(admin_url, stranger.name)
        stranger.set_up(folder, where, database)
        file, report = folder / "gauntlet.toml", Path(scratch) / "report"
        began = time.monotonic()
        _shipworthy("init", "--repo", str(folder), "--no-input", *stranger.wanted)
        by_hand = _with(file, stranger, database)
        done = _shipworthy("gauntlet", "--quick", "--json", "--target", str(file), "--report", str(report))
        return Examined(
            stranger,
            round((time.monotonic() - began) / 60, 1),
            by_hand,
            json.loads(done.stdout.splitlines()[-1]),
        )


def _database(admin_url: str, name: str) -> str:
    """Make a database and a role that owns it, as every manual asks for."""
    import asyncio

    async def make() -> None:
        connection = await asyncpg.connect(admin_url)
        try:
            await connection.execute(f"create role {name} login password 'of-the-proof'")
            await connection.execute(f"create database {name} owner {name}")
        finally:
            await connection.close()
        own = await asyncpg.connect(f"{admin_url.rpartition('/')[0]}/{name}")
        try:
            await own.execute("create extension if not exists pg_stat_statements")
            await own.execute(f"grant pg_read_all_stats to {name}")
        finally:
            await own.close()

    asyncio.run(make())
    return re.sub(r"//[^@]*@", f"//{name}:of-the-proof@", admin_url.rpartition("/")[0]) + f"/{name}"


def _with(file: Path, stranger: Stranger, database: str) -> int:
    """Add what a person adds by hand; return how many lines that is."""
    text = file.read_text(encoding="utf-8")
    lines = [line for line in stranger.by_hand.splitlines() if line]
    if "PostgreSQL" in stranger.kind:
        text = text.replace("[target]\n", f'[target]\ndatabase = "{database}"\n', 1)
        lines.append("database")
    file.write_text(f"{text}\n{stranger.by_hand}", encoding="utf-8")
    return len(lines)


def _shipworthy(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*SHIPWORTHY, *arguments], capture_output=True, text=True, check=False)
    if not done.stdout or (arguments[0] == "init" and done.returncode):
        raise SystemExit(
            f"shipworthy {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done


def _word(one: Examined, finding: dict[str, Any], judged: dict[str, Any]) -> str:
    """Return "true", "false" or "unjudged", as a person judged findings of this kind.

    "machine" is a time taken while others used the machine: it says nothing of the app.
    """
    if finding["check"].startswith(_TIMED) and os.getloadavg()[1] > LOAD_PER_CORE_MAX * (os.cpu_count() or 1):
        return "machine"
    said = judged.get(one.stranger.name, {})
    id_ = f"{finding['check']}:{finding['subject']}"
    kind = next((said[pattern] for pattern in said if re.fullmatch(pattern, id_)), None)
    return str(kind[0]) if kind else "unjudged"


def _tell(one: Examined, said: dict[str, Any]) -> None:
    result, judged = one.result, {one.stranger.name: said}
    print(f"\n{one.stranger.name} ({one.stranger.kind}): {result['verdict']}, coverage {result['coverage']:.0%}, "
          f"{one.minutes} min, {one.lines_by_hand} lines by hand")  # fmt: skip
    for note in result["notes"]:
        print(f"  note: {note}")
    rows = [(f"{f['check']}:{f['subject']}", f["title"][:90], _word(one, f, judged)) for f in one.failed]
    show_table("failed", ("finding", "what", "judged"), rows)
    undecided = [f for f in result["findings"] if f["verdict"] == "INCONCLUSIVE"]
    for finding in undecided:
        print(f"  undecided: {finding['check']}:{finding['subject']}: {finding['cause'][:160]}")
    missing = Counter((f["check"], f["cause"]) for f in result["findings"] if f["verdict"] == "NOT MEASURED")
    for (check, cause), times in missing.items():
        print(f"  not measured: {check}{f' ({times} subjects)' if times > 1 else ''}: {cause[:140]}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
