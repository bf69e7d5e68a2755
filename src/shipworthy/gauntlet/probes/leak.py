"""T1 by behaviour, in SQL: as one tenant, try to read and write what belongs to another.

The catalogue says what should hold; this asks the running database. Every role the app signs
in as tries every table: in the scope of tenant A, in the scope of nobody known, and with no
scope at all (what a forgotten scope looks like, on a connection that was scoped before). Each
refusal has its control: the same thing done with A's own rows must work, so that nothing is
refused for the wrong reason. Everything is rolled back.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import Database, PostgresError
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import TableFacts, app_tables
from shipworthy.gauntlet.subjects import ask_each

_RIGHTS = """
select has_table_privilege($1, $2::oid, 'select') as may_read,
  has_table_privilege($1, $2::oid, 'delete') as may_delete,
  has_column_privilege($1, $2::oid, $3::text, 'insert') as may_insert,
  has_column_privilege($1, $2::oid, $3::text, 'update') as may_move,
  (select a.attname::text from pg_attribute a where a.attrelid = $2::oid and a.attnum > 0 and not a.attisdropped
     and a.attgenerated = '' and a.attidentity = '' and has_column_privilege($1, $2::oid, a.attnum, 'update')
   order by a.attnum desc limit 1) as touchable,
  (select format_type(a.atttypid, a.atttypmod) from pg_attribute a
   where a.attrelid = $2::oid and a.attname = $3::text) as type
"""
_REFUSED = "42501"  # insufficient privilege: by a grant, or by row security, as the message says
_CONSTRAINT = "23"

Outcome = Literal["held", "leaked", "undecided"]


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One thing that was tried, and how it went."""

    role: str
    tried: str
    saw: str
    outcome: Outcome = "held"
    severity: Severity = Severity.CRITICAL


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """One role before one table: whose rows are whose, and what it may do at all."""

    table: TableFacts
    database: Database
    connection: Any
    mine: Credential
    own: str  # the scoping value of the asking tenant
    foreign: str  # that of another
    own_rows: int
    foreign_rows: int
    rights: Any

    @property
    def column(self) -> str:
        return quote(self.table.column or "")


@dataclass
class _Account:
    """What was tried on one table, by all roles."""

    rows: int
    steps: list[_Step] = field(default_factory=list)
    foreign_rows_seen: int = 0

    def of(self, outcome: Outcome) -> list[_Step]:
        return [step for step in self.steps if step.outcome == outcome]


async def two_tenants_sql(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each table that holds tenants' rows."""
    mine, theirs = [person for person in exam.people if person.tenant_id][:2]
    roles = [role for role in exam.handle.database_urls if role != "admin"]
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(exam.database("admin").connection())
        ways = [
            (database := exam.database(role), await stack.enter_async_context(database.connection()))
            for role in roles
        ]

        async def ask(_name: str, table: TableFacts) -> Finding:
            account = _Account(rows=await admin.fetchval(f"select count(*) from {table.quoted}"))  # noqa: S608
            for database, connection in ways:
                scene = await _scene(admin, table, database, connection, mine, theirs)
                await _play(scene, account)
            return _finding(exam, table, account)

        tables = await app_tables(admin, exam.manifest.tables)
        return await ask_each(exam, [(table.name, table) for table in tables if table.is_scoped], ask)


async def _scene(
    admin: Any, table: TableFacts, database: Database, connection: Any, mine: Credential, theirs: Credential
) -> _Scene:
    own, foreign = _scoping_values(table, mine, theirs)
    counts = (
        f"select count(*) filter (where {quote(table.column or '')}::text = $1),"  # noqa: S608
        f" count(*) filter (where {quote(table.column or '')}::text = $2) from {table.quoted}"
    )
    own_rows, foreign_rows = await admin.fetchrow(counts, own, foreign)
    return _Scene(
        table=table,
        database=database,
        connection=connection,
        mine=mine,
        own=own,
        foreign=foreign,
        own_rows=own_rows,
        foreign_rows=foreign_rows,
        rights=await admin.fetchrow(_RIGHTS, database.user, table.oid, table.column),
    )


def _scoping_values(table: TableFacts, mine: Credential, theirs: Credential) -> tuple[str, str]:
    """Return whose rows are asked for. Tenants of one realm share its rows: there, the other is nobody."""
    if table.scope == "tenant":
        return mine.tenant_id, theirs.tenant_id
    shared = mine.realm_id == theirs.realm_id
    return mine.realm_id, str(uuid.uuid4()) if shared else theirs.realm_id


async def _play(scene: _Scene, account: _Account) -> None:
    if scene.rights["may_read"]:
        await _read_in_scope(scene, account)
        await _read_as_nobody(scene, account)
        await _read_unscoped(scene, account)
    if scene.rights["may_insert"]:
        account.steps.append(await _insert_foreign(scene))
    if scene.rights["may_move"] and scene.rights["may_read"] and scene.own_rows:
        account.steps.append(await _move_to_foreign(scene))
    if scene.foreign_rows and scene.rights["touchable"]:
        touched = quote(scene.rights["touchable"])
        update = f"update {scene.table.quoted} set {touched} = {touched}"  # noqa: S608 - quoted names
        account.steps.append(await _write_foreign(scene, update))
    if scene.foreign_rows and scene.rights["may_delete"]:
        delete = f"delete from {scene.table.quoted}"  # noqa: S608 - a quoted name
        account.steps.append(await _write_foreign(scene, delete))


async def _read_in_scope(scene: _Scene, account: _Account) -> None:
    sql = (
        f"select count(*), count(*) filter (where {scene.column}::text is distinct from $1)"  # noqa: S608
        f" from {scene.table.quoted}"
    )
    async with scene.database.within(scene.connection, scene.mine):
        seen, foreign = await scene.connection.fetchrow(sql, scene.own)
    account.foreign_rows_seen += foreign
    own = seen - foreign
    # A role that sees nothing at all cannot show that it sees nothing foreign.
    blind = scene.own_rows and not seen
    saw = f"{own:,} own rows, {foreign:,} of others"
    step = _step(scene, "read in its own scope", saw, "leaked" if foreign else "held")
    if blind:
        step = replace(step, saw=f"{own:,} of its own {scene.own_rows:,} rows", outcome="undecided")
    account.steps.append(step)


async def _read_as_nobody(scene: _Scene, account: _Account) -> None:
    nobody = replace(scene.mine, tenant_id=str(uuid.uuid4()), realm_id=str(uuid.uuid4()))
    async with scene.database.within(scene.connection, nobody):
        seen = await _count(scene)
    account.foreign_rows_seen += seen
    account.steps.append(
        _step(
            scene,
            "read in the scope of a tenant nobody knows",
            f"{seen:,} rows",
            "leaked" if seen else "held",
        )
    )


async def _read_unscoped(scene: _Scene, account: _Account) -> None:
    """A connection that was scoped before keeps an empty setting: it must show nothing, not fail."""
    tried = "read with no scope set"
    try:
        async with scene.database.within(scene.connection, None):
            seen = await _count(scene)
    except PostgresError as error:
        step = _step(scene, tried, f"an error instead of nothing: {error}", "leaked")
        account.steps.append(replace(step, severity=Severity.HIGH))
        return
    account.foreign_rows_seen += seen
    account.steps.append(_step(scene, tried, f"{seen:,} rows", "leaked" if seen else "held"))


async def _count(scene: _Scene) -> int:
    seen: int = await scene.connection.fetchval(f"select count(*) from {scene.table.quoted}")  # noqa: S608
    return seen


async def _insert_foreign(scene: _Scene) -> _Step:
    """Row security looks before constraints do, so a row of nothing but its scope is enough."""
    sql = f"insert into {scene.table.quoted} ({scene.column}) values ($1::text::{scene.rights['type']})"  # noqa: S608
    tried = "insert a row that belongs to another"
    control = await _attempt(scene, sql, scene.own)
    if control.by_row_security:
        return _step(scene, tried, "even its own rows are refused, so this proves nothing", "held")
    attempt = await _attempt(scene, sql, scene.foreign)
    return _judged_write(scene, tried, attempt)


async def _move_to_foreign(scene: _Scene) -> _Step:
    table = scene.table.quoted
    sql = (
        f"update {table} set {scene.column} = $1::text::{scene.rights['type']}"  # noqa: S608
        f" where ctid = (select ctid from {table} limit 1)"
    )
    return _judged_write(scene, "hand a row of its own to another", await _attempt(scene, sql, scene.foreign))


async def _write_foreign(scene: _Scene, statement: str) -> _Step:
    sql = f"{statement} where {scene.column}::text = $1"
    verb = statement.partition(" ")[0]
    return _judged_write(
        scene, f"{verb} rows that belong to another", await _attempt(scene, sql, scene.foreign)
    )


@dataclass(frozen=True)
class _Attempt:
    """How a statement ended: the rows it touched, or the database's refusal."""

    rows: int
    code: str = ""
    message: str = ""

    @property
    def by_row_security(self) -> bool:
        return self.code == _REFUSED and "row-level security" in self.message


async def _attempt(scene: _Scene, sql: str, value: str) -> _Attempt:
    async with scene.database.within(scene.connection, scene.mine):
        try:
            status: str = await scene.connection.execute(sql, value)
        except PostgresError as error:
            return _Attempt(0, str(error.sqlstate or ""), str(error))
        return _Attempt(int(status.rpartition(" ")[2]))


def _judged_write(scene: _Scene, tried: str, attempt: _Attempt) -> _Step:
    if attempt.code == _REFUSED:
        by = "row security" if attempt.by_row_security else "a grant"
        return _step(scene, tried, f"refused by {by}")
    if attempt.code.startswith(_CONSTRAINT):
        return _step(scene, tried, f"only a constraint stood in the way: {attempt.message}", "leaked")
    if attempt.code:
        return _step(scene, tried, f"another error: {attempt.message}", "undecided")
    return _step(scene, tried, f"{attempt.rows:,} rows written", "leaked" if attempt.rows else "held")


def _step(scene: _Scene, tried: str, saw: str, outcome: Outcome = "held") -> _Step:
    return _Step(role=scene.database.role, tried=tried, saw=saw, outcome=outcome)


def _finding(exam: Exam, table: TableFacts, account: _Account) -> Finding:
    shown = [(step.role, step.tried, step.saw, step.outcome) for step in account.steps]
    facts: dict[str, Any] = {
        "evidence": (table_evidence("Tried, and rolled back", ("role", "tried", "saw", "outcome"), shown),),
        "measures": (
            Measure(name="rows of others seen", unit="rows", estimate=account.foreign_rows_seen, bound=0),
            Measure(name="attempts", unit="attempts", estimate=len(account.steps)),
        ),
    }
    if leaks := account.of("leaked"):
        return _leak(exam, table, leaks, facts)
    if unsure := account.of("undecided"):
        why = "; ".join(f"as {step.role}, to {step.tried}: {step.saw}" for step in unsure)
        raise Undecided(f"Some attempts could not be judged: {why}.", evidence=facts["evidence"])
    if not account.rows or not account.steps:
        return _nothing_there(exam, table, facts, has_rows=bool(account.rows))
    title = f"{table.name}: nothing of another tenant is read or written"
    return exam.finding(table.name, Verdict.PASS, title, **facts)


def _leak(exam: Exam, table: TableFacts, leaks: list[_Step], facts: dict[str, Any]) -> Finding:
    first = leaks[0]
    told = [f"role {step.role} could {step.tried}: {step.saw}" for step in leaks]
    return exam.finding(
        table.name,
        Verdict.FAIL,
        f"{table.name}: role {first.role} can {first.tried} ({first.saw})",
        severity=min((step.severity for step in leaks), key=list(Severity).index),
        cause=". ".join(f"{line[:1].upper()}{line[1:]}" for line in told) + ".",
        fix=(
            f"Guard {table.quoted} with a RESTRICTIVE policy to PUBLIC that compares {table.column} with "
            f"nullif(current_setting(…, true), '')::uuid, for reading and for writing, and force row security. "
            f"See: shipworthy gauntlet --only 'isolation.row_security:{table.name}'"
        ),
        **facts,
    )


def _nothing_there(exam: Exam, table: TableFacts, facts: dict[str, Any], *, has_rows: bool) -> Finding:
    cause = (
        "No role of the app may reach it." if has_rows else "It holds no row, so there was nothing to see."
    )
    return exam.finding(
        table.name,
        Verdict.NOT_MEASURED,
        f"{table.name}: not measured",
        cause=cause,
        fix="" if has_rows else "Let the seed write rows of two tenants into it.",
        **facts,
    )
