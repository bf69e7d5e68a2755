"""One role before one table: whose rows are whose, what was tried, and how it went.

Owns the steps of isolation.two_tenants_sql and how an answer of the database is judged. Every
attempt is made in a transaction that is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.db import Database, PostgresError
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import TableFacts

REFUSED = "42501"  # insufficient privilege: by a grant, or by row security, as the message says
CONSTRAINT = "23"
_NOT_WRITABLE = ("55000", "0A000", "42809")  # a view that is not simple, one that is kept

Outcome = Literal["held", "leaked", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was tried, and how it went."""

    role: str
    tried: str
    saw: str
    outcome: Outcome = "held"
    severity: Severity = Severity.CRITICAL


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One role before one table: whose rows are whose, and what it may do at all."""

    table: TableFacts
    database: Database
    connection: Any
    admin: Any  # the administrator's connection: it sees every row
    mine: Credential
    own: str  # the scoping value of the asking tenant
    foreign: str  # that of another
    own_rows: int
    foreign_rows: int
    rights: Any

    @property
    def column(self) -> str:
        return quote(self.table.column or "")

    def step(
        self, tried: str, saw: str, outcome: Outcome = "held", severity: Severity = Severity.CRITICAL
    ) -> Step:
        return Step(role=self.database.role, tried=tried, saw=saw, outcome=outcome, severity=severity)


@dataclass
class Account:
    """What was tried on one table, by all roles."""

    rows: int
    steps: list[Step] = field(default_factory=list)
    foreign_rows_seen: int = 0

    def of(self, outcome: Outcome) -> list[Step]:
        return [step for step in self.steps if step.outcome == outcome]


@dataclass(frozen=True)
class Attempt:
    """How a statement ended: the rows it touched, or the database's refusal."""

    rows: int
    code: str = ""
    message: str = ""
    constraint: str = ""

    @property
    def by_row_security(self) -> bool:
        return self.code == REFUSED and "row-level security" in self.message


async def attempt(scene: Scene, sql: str, *values: object, person: Credential | None) -> Attempt:
    """Run one statement as a person (None: nobody said who asks), and roll it back."""
    async with scene.database.within(scene.connection, person):
        try:
            # What a key forbids must show now, not at a commit that never comes.
            await scene.connection.execute("set constraints all immediate")
            status: str = await scene.connection.execute(sql, *values)
        except PostgresError as error:
            constraint = getattr(error, "constraint_name", None) or ""
            return Attempt(0, str(error.sqlstate or ""), str(error), constraint)
        return Attempt(int(status.rpartition(" ")[2]))


def judged_write(scene: Scene, tried: str, done: Attempt) -> Step:
    """Return the step of an attempt to write what belongs to another."""
    if done.code == REFUSED:
        by = "row security" if done.by_row_security else "a grant"
        return scene.step(tried, f"refused by {by}")
    if done.code in _NOT_WRITABLE:
        return scene.step(tried, f"cannot be written at all: {done.message}")
    if done.code.startswith(CONSTRAINT):
        return scene.step(tried, f"only a constraint stood in the way: {done.message}", "leaked")
    if done.code:
        return scene.step(tried, f"another error: {done.message}", "undecided")
    return scene.step(tried, f"{done.rows:,} rows written", "leaked" if done.rows else "held")
