"""An app of ours behind its front, from outside: `up --deployable` runs what came before, `deploy` brings versions out.

In a copy of the app's folder: what is deployed is what lies there, and the app's own is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.shipworthy import STATE, UpInstance, started_by_up
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.repository.release import lay_out, previous_tag
from shipworthy.gauntlet.repository.source import files_of
from shipworthy.gauntlet.repository.tool import ran

_HOME = "app"
# Where the version before is the same as this one, something must tell them apart.
_MARK = "candidate.txt"
_MODULE = ("-m", "shipworthy")


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """How one deploy ended, by what `deploy` promises: exit status, decision record, and its last words."""

    status: int
    record: dict[str, Any]  # decision.json; empty where a step failed
    said: str

    @property
    def decision(self) -> str:
        """promoted, rolled back, undecided, or failed: a step failed, and the version before serves."""
        return str(self.record.get("decision", "failed"))

    @property
    def reason(self) -> str:
        return str(self.record.get("reason", self.said))

    def noted(self, what: str, fact: str) -> float | None:
        """Return a fact of the last event of a kind that has it."""
        events = [e for e in self.record.get("events", ()) if e["what"] == what and fact in e]
        return float(events[-1][fact]) if events else None


class Deployable:
    """The app as it runs, and the version that lies in its folder."""

    def __init__(self, target: Target, scratch: Path, instance: UpInstance, *, before: str) -> None:
        self._target, self._scratch, self._instance = target, scratch, instance
        self.before = before  # what runs, in words

    @property
    def handle(self) -> Handle:
        return self._instance.handle

    @property
    def python(self) -> str:
        """The Python that runs a version."""
        start = self._target.start or ()
        return start[-3] if start[-2:] == _MODULE and len(start) > 2 else sys.executable

    async def deploy(
        self,
        *,
        weights: Sequence[int],
        stage_s: float,
        patience_s: float,
        timeout_s: float,
        python: Path | None = None,
    ) -> Deploy:
        """Bring the candidate out, run by another Python where one is given.

        Errors:  Unmeasurable when it takes longer than `timeout_s`.
        """
        assert self._target.start is not None
        command, *words = self._target.start
        arguments = [
            *words,
            "deploy",
            "--json",
            "--no-page",
            "--state",
            str(self._scratch / STATE),
            "--weights",
            ",".join(map(str, weights)),
            "--stage",
            f"{stage_s:g}s",
            "--patience",
            f"{patience_s:g}s",
            *(["--python", str(python)] if python else []),
        ]
        ended = await ran(
            command,
            arguments,
            cwd=self._scratch / _HOME,
            env={**os.environ, **self._target.env},
            timeout_s=timeout_s,
        )
        try:
            record = json.loads(ended.out) if ended.out.strip() else {}
        except ValueError:
            record = {}
        said = ended.err.strip().rpartition("Error: ")[2]
        return Deploy(status=ended.status, record=record, said=said or f"exit status {ended.status}")


@asynccontextmanager
async def deployable(target: Target, scratch: Path) -> AsyncIterator[Deployable]:
    """Run the release before this one behind a front, with this one in the folder, until the block ends.

    Without an earlier git tag, this version runs and is its own candidate.
    Errors:  StartFailed with the last words of `up`.
    """
    folder, home = Path(target.folder), scratch / _HOME
    tag = await _tag(folder)
    if tag is None:
        _copy(folder, home)
    else:
        await lay_out(folder, tag, home)
    _open_to_all(home)
    there = replace(target, workdir=str(home), folder=str(home))
    async with started_by_up(there, scratch, seed="demo", flags=("--deployable",)) as instance:
        shutil.rmtree(home)
        _copy(folder, home)
        (home / _MARK).write_text("The version that is deployed.\n", encoding="utf-8")
        yield Deployable(there, scratch, instance, before=tag or "this very version")
        if died := instance.died():
            raise StartFailed(f"{died} That was while versions were deployed.")


async def _tag(folder: Path) -> str | None:
    try:
        return await previous_tag(folder)
    except Unmeasurable:  # no repository, or no git: nothing is known of an earlier release
        return None


def _copy(folder: Path, home: Path) -> None:
    for path in files_of(folder):
        there = home / path.relative_to(folder)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, there, follow_symlinks=False)


def _open_to_all(home: Path) -> None:
    """Root's database has a user of its own, who must pass through."""
    if os.geteuid() == 0:
        home.chmod(0o711)
