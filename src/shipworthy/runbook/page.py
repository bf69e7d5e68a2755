"""A page of the runbook: prose for people, and typed steps that a drill runs as they stand there.

check    what shows the trouble: must not hold before it, must hold with it (of a procedure: what must be given)
act      what a person does about it
verify   what shows that it is over: must not hold before the acts
undo     what takes the acts back
fault, heal, load    what a drill breaks, mends whatever happens, and asks for meanwhile
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

Kind = Literal["check", "act", "verify", "undo", "fault", "heal", "load"]
Language = Literal["sh", "sql", "http", "app", "provider", "inflict", "journey"]
KINDS: tuple[str, ...] = get_args(Kind)
LANGUAGES: tuple[str, ...] = get_args(Language)
WITHIN_S = 30.0  # how long a check or verify step may take to hold, where it does not say so


@dataclass(frozen=True, kw_only=True)
class Step:
    """One executable block. `expect` is what makes it hold: of sh the exit code, of http the status, of sql the rows.

    sh runs in the app's folder; sql on its database as the administrator; http asks the app, `as_owner` signed in as an
    owner of $TENANT; app restarts it, with more environment where there is some; provider is the one people sign in by.
    """

    kind: Kind
    language: Language
    title: str
    text: str
    expect: str = ""  # "0", "1..", "409"; empty: whatever succeeds
    says: str = ""
    within_s: float = WITHIN_S
    as_owner: bool = False


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """That a page was drilled: when, on which commit, what came of it. The hashes are SHA-256."""

    date: str  # 2026-11-28T08:15:00Z
    commit: str
    result: Literal["passed", "failed"]
    page: str  # of the page as it was drilled
    evidence: str  # of evidence/NAME.json
    detected_s: float | None = None
    repaired_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page. `subject` is the alert's objective, or the family of error codes; empty of a procedure."""

    name: str
    title: str
    kind: Literal["alert", "errors", "procedure"]
    subject: str
    incident: str
    blast: str
    escalate: str
    body: str  # Markdown, with the blocks in it
    steps: tuple[Step, ...]
    stamp: Stamp | None = None

    def of(self, *kinds: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.kind in kinds)

    @property
    def sha256(self) -> str:
        """What a stamp vouches for: all of the page but the stamp."""
        facts = asdict(replace(self, stamp=None))
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class PageInvalid(ValueError):
    """A page cannot be read; the message names its line."""
