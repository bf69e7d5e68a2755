"""P6: every named query uses the index it promises, as its own role, under row security, at volume.

Asking as the owner would be a false comfort: row security takes every operator that is not
leakproof out of the index conditions, so a plan that is good for the owner can be a full scan
for the app. Each query runs with its own samples in a tenant's scope and is rolled back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Index, Query
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import Database, OpenConnections, PostgresError
from shipworthy.gauntlet.evidence import sql_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.plan_tree import PlanNode, parse_plan, plan_text
from shipworthy.gauntlet.probes.statistics import (
    IndexFacts,
    existing_indexes,
    leaky_operator,
    table_rows,
)
from shipworthy.gauntlet.snapshot import plan_entry
from shipworthy.gauntlet.subjects import ask_each

# Below this the planner is right to read a whole table: a few pages cost less than an index.
JUDGED_ROWS_MIN = 1_000
# A filter may throw away a page or two; more is a condition that should have been in the index.
WASTED_ROWS_MAX = 100
# Another index than the declared one is as good when it leads as straight to the rows: little is
# thrown away, no more rows than promised, and few pages a lookup (its own index takes 3 to 5; with
# 64 half a megabyte is walked). The planner swaps near-equal indexes as tables grow; that is no defect.
PAGES_PER_LOOKUP_MAX = 64
# SQLSTATE classes that are not the query's fault.
_CONSTRAINT = "23"
_CONTENTION = ("40", "55")
_CANCELLED = "57014"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A query as the database ran it, and how much it had to choose from."""

    query: Query
    tree: PlanNode
    person: Credential
    rows: dict[str, int]  # table -> rows in the whole table
    indexes: dict[str, IndexFacts]


@dataclass(frozen=True, kw_only=True)
class _Defect:
    """One thing wrong with a plan: for the title, the cause, the fix, and where it comes from."""

    title: str
    cause: str
    fix: str = ""
    source: str = ""


async def index_used(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each query of the manifest."""
    people = [person for person in exam.people if person.tenant_id]
    if not people:
        raise Undecided("No tenant's id is known, so no query can be asked in a tenant's scope.")
    if exam.can("login"):
        await exam.session(people[0])  # so that queries about sessions have one to find
    async with exam.database("admin").connection() as admin, OpenConnections() as connections:
        rows, indexes = await table_rows(admin), await existing_indexes(admin)

        async def ask(_name: str, query: Query) -> Finding:
            if not exam.can(f"database.{query.role}"):
                return _unknown_role(exam, query)
            database = exam.database(query.role)
            way_in = database, await connections.of(database)
            planned = await explained(way_in, query, people, rows, indexes)
            if isinstance(planned, _Defect):
                return _broken(exam, query, planned)
            return await _judged(exam, admin, planned)

        queries = [(query.name, query) for query in exam.manifest.queries]
        return await ask_each(exam, queries, ask, source=lambda query: query.source)


def note_shape(exam: Exam, planned: Planned) -> None:
    """Note by what each table is reached, for gauntlet.lock. Tables of a few rows are left out: the planner
    reads them as it likes, and is right."""
    tables = {scan.table for scan in planned.tree.scans() if scan.table}
    large = sorted(table for table in tables if planned.rows.get(table, 0) > JUDGED_ROWS_MIN)
    if large:
        lines = (f"{table} {_way(planned, table)}" for table in large)
        exam.seen[plan_entry(planned.query.name)] = tuple(lines)


def _way(planned: Planned, table: str) -> str:
    """Say how a table is reached, the same for indexes that are as good: the planner swaps those from run to run."""
    ways = planned.tree.ways(table)
    if not all(ways):
        return "read whole"
    known = [name for name in planned.query.index if (i := planned.indexes.get(name)) and i.table == table]
    as_good = [name for name in known if name in ways or _is_served_as_well(planned, name)]
    if known:
        return f"by {' and '.join(as_good or sorted(ways))}"
    return "by an index"


async def explained(
    way_in: tuple[Database, Any],
    query: Query,
    people: list[Credential],
    rows: dict[str, int],
    indexes: dict[str, IndexFacts],
) -> Planned | _Defect:
    """Run the query for the first tenant whose data has the rows its samples look for.

    Errors:  Undecided when no tenant has, or when the samples break a constraint.
    """
    (database, connection), empty = way_in, ""
    for person in people:
        async with database.within(connection, person, realm_only=query.scope == "realm"):
            try:
                values, empty = await _sampled(connection, query)
                if empty:
                    continue
                text = await connection.fetchval(
                    f"explain (analyze, buffers, format json) {query.sql}", *values
                )
            except PostgresError as refused:
                return _refused(query, refused)
        tree = parse_plan(json.loads(text))
        return Planned(query=query, tree=tree, person=person, rows=rows, indexes=indexes)
    raise Undecided(
        f"The sample {empty} finds no row in any tenant's data, so the plan would be that of a miss.",
        fix="Let the seed write such a row, or choose a sample that hits one.",
        evidence=(sql_evidence(query.sql),),
    )


async def _sampled(connection: Any, query: Query) -> tuple[list[object], str]:
    """Return the values of the query's samples, and the expression of one that found no row."""
    statement = await connection.prepare(query.sql)
    types = [parameter.oid for parameter in statement.get_parameters()]
    if len(types) != len(query.params):
        raise Undecided(f"It takes {len(types)} parameters and declares {len(query.params)} samples.")
    if not types:
        return [], ""
    names = [await connection.fetchval("select format_type($1, null)", oid) for oid in types]
    casts = [f"({sql})::{name}" for sql, name in zip(query.params, names, strict=True)]
    row = await connection.fetchrow(f"select {', '.join(casts)}")
    values = list(row)
    looked_up = re.compile(r"\bselect\b", re.IGNORECASE)
    misses = (
        sql
        for sql, value in zip(query.params, values, strict=True)
        if value is None and looked_up.search(sql)
    )
    return values, next(misses, "")


def _refused(query: Query, error: Any) -> _Defect:
    """Return the defect of a query the database would not run. Errors: Undecided for bad samples."""
    code = str(error.sqlstate or "")
    if code.startswith(_CONTENTION):
        raise Undecided(f"Another transaction was in the way: {error}") from error
    if code.startswith(_CONSTRAINT) or "violates row-level security" in str(error):
        raise Undecided(
            f"Its samples break a constraint: {error}",
            fix="Choose samples with which the query runs on seeded data.",
            evidence=(sql_evidence(query.sql),),
        ) from error
    if code == _CANCELLED:
        title, cause = "does not finish in its role's own time", f"Role {query.role} was cut off: {error}"
        return _Defect(title=title, cause=cause, fix="Give it an index that bounds what it reads.")
    return _Defect(
        title=f"does not run as role {query.role}",
        cause=f"{type(error).__name__}: {error}",
        fix="Correct the query, its samples, or what its role may do.",
    )


async def _judged(exam: Exam, admin: Any, planned: Planned) -> Finding:
    note_shape(exam, planned)
    query, tree = planned.query, planned.tree
    unused = [name for name in query.index if name not in tree.indexes()]
    swapped = [name for name in unused if _is_served_as_well(planned, name)]
    defects = [
        *[await _unused(exam, admin, planned, name) for name in unused if name not in swapped],
        *[await _walked(admin, planned, name) for name in query.index if name not in unused],
        *_whole_reads(planned),
        *_too_many_rows(planned),
    ]
    found = [defect for defect in defects if isinstance(defect, _Defect)]
    if found:
        return _failed(exam, planned, found)
    if small := [defect for defect in defects if isinstance(defect, str)]:
        return exam.finding(
            query.name,
            Verdict.NOT_MEASURED,
            f"{query.name}: its table is too small to judge",
            cause=f"{' '.join(small)} The planner is right to read so few rows whole.",
            fix=f"Seed at volume: more than {JUDGED_ROWS_MIN:,} rows in each table.",
            source=query.source,
        )
    used = [name for name in query.index if name not in swapped]
    others = [f"an index as good as {name}" for name in swapped]
    by = ", ".join([*used, *others]) or "no index, as declared"
    return exam.finding(
        query.name,
        Verdict.PASS,
        f"{query.name} uses {by}",
        source=query.source,
        measures=_measures(planned),
        evidence=_evidence(planned),
    )


async def _walked(admin: Any, planned: Planned, name: str) -> _Defect | None:
    """Return the defect of an index that is used for its first column only, the rest thrown away."""
    exists = planned.indexes[name]
    wasted = max((s.rows_thrown_away for s in planned.tree.scans() if name in s.indexes()), default=0)
    if wasted <= WASTED_ROWS_MAX:
        return None
    why = await _kept_out(admin, planned.tree, exists)
    if not why:
        return None
    return _Defect(
        title=f"walks {name} and throws {wasted:,} rows away",
        cause=f"{name} serves only to find the tenant; {wasted:,} rows are read in vain.{why}",
        fix=f"Make the query's conditions match {exists.definition}, or declare the index it should use.",
    )


def _is_served_as_well(planned: Planned, name: str) -> bool:
    """Say whether another index does an existing one's work: nothing in vain, no more pages than rows or a look-up's."""
    exists = planned.indexes.get(name)
    if exists is None or not exists.is_valid:
        return False
    scans = [scan for scan in planned.tree.scans() if scan.table == exists.table]
    rows_max = max(planned.query.rows_max or 1, 1)
    return bool(scans) and all(
        scan.indexes()
        and scan.rows_thrown_away <= WASTED_ROWS_MAX
        and scan.rows_a_loop <= rows_max
        and scan.pages_a_loop <= max(PAGES_PER_LOOKUP_MAX, scan.rows_a_loop)
        for scan in scans
    )


async def _unused(exam: Exam, admin: Any, planned: Planned, name: str) -> _Defect | str:
    """Return why a declared index is not in the plan: a defect, or the words of a table too small."""
    declared = next((index for index in exam.manifest.indexes if index.name == name), None)
    exists = planned.indexes.get(name)
    if exists is None:
        return _absent(planned, name, declared)
    if not exists.is_valid:
        return _Defect(
            title=f"cannot use {name}: it is invalid",
            cause=f"Building {name} was interrupted, and an invalid index is never read.",
            fix=f"reindex index concurrently {name};",
            source=declared.source if declared else "",
        )
    rows = planned.rows.get(exists.table, 0)
    if rows <= JUDGED_ROWS_MIN:
        return f"{exists.table} has {rows:,} rows."
    return _Defect(
        title=f"does not use {name}",
        cause=f"Instead, {exists.table} ({rows:,} rows) is reached by {planned.tree.how(exists.table)}."
        + await _kept_out(admin, planned.tree, exists),
        fix=f"Make the query's conditions match {exists.definition}, or declare the index it should use.",
    )


def _absent(planned: Planned, name: str, declared: Index | None) -> _Defect:
    table = declared.table if declared else None
    instead = f" {table} is reached by {planned.tree.how(table)} instead." if table else ""
    definition = declared.definition if declared else ""
    return _Defect(
        title=f"needs {name}, which does not exist",
        cause=f"There is no index {name} in the database.{instead}",
        fix=definition or f"Restore {name}, or correct the index the query declares.",
        source=declared.source if declared else "",
    )


async def _kept_out(admin: Any, tree: PlanNode, index: IndexFacts) -> str:
    """Explain an index condition that row security turned into a filter, naming the operator."""
    for scan in tree.scans():
        condition = str(scan.facts.get("Filter", ""))
        if scan.table != index.table or not condition:
            continue
        for column in index.columns:
            for operator in _operators_on(column, condition):
                if signature := await leaky_operator(admin, index.table, column, operator):
                    return (
                        f" Row security keeps {column!r} out of the index: the operator ({signature}) is not "
                        "leakproof, so it may only see rows that passed the policy. Compare by a leakproof "
                        "type (uuid, text =, bigint, date, timestamptz), or search another way."
                    )
    return ""


def _operators_on(column: str, condition: str) -> list[str]:
    """Return the operators a printed condition applies to a column, casts in between allowed."""
    name = rf'(?<![\w"])"?{re.escape(column)}"?(?!\w)'
    cast = r"\)?(?:::[\w ]+(?:\(\d+\))?(?:\[\])?)?\)?"
    return re.findall(rf"{name}{cast}\s+([-+*/<>=~!@#%^&|`?]+)\s", condition)


def _whole_reads(planned: Planned) -> list[_Defect]:
    """Return the tables of some size that are read from end to end.

    A query that promises a bound as large as the table reads it whole with every right.
    """
    allowed = planned.query.rows_max or 0
    tables = dict.fromkeys(
        scan.table for scan in planned.tree.scans() if scan.kind == "Seq Scan" and scan.table
    )
    return [
        _Defect(
            title=f"reads the whole of {table}",
            cause=f"A Seq Scan reads all {planned.rows[table]:,} rows of {table}, whoever asks.",
            fix=f"Give {table} an index that begins with its scoping column and fits the query's conditions.",
        )
        for table in tables
        if planned.rows.get(table, 0) > max(JUDGED_ROWS_MIN, allowed)
    ]


def _too_many_rows(planned: Planned) -> list[_Defect]:
    bound, rows = planned.query.rows_max, planned.tree.rows
    if bound is None or rows <= bound:
        return []
    title = f"returned {rows:,} rows where at most {bound:,} were promised"
    return [_Defect(title=title, cause=f"{title.capitalize()}.", fix="Add a LIMIT, and page by key.")]


def _failed(exam: Exam, planned: Planned, defects: list[_Defect]) -> Finding:
    query = planned.query
    return exam.finding(
        query.name,
        Verdict.FAIL,
        f"{query.name} {defects[0].title}",
        cause=" ".join(defect.cause for defect in defects),
        fix="\n".join(dict.fromkeys(defect.fix for defect in defects if defect.fix)),
        # A missing index is put right where it was declared; everything else in the query.
        source=next((defect.source for defect in defects if defect.source), query.source),
        measures=_measures(planned),
        evidence=_evidence(planned),
    )


def _broken(exam: Exam, query: Query, defect: _Defect) -> Finding:
    return exam.finding(
        query.name,
        Verdict.FAIL,
        f"{query.name} {defect.title}",
        cause=defect.cause,
        fix=defect.fix,
        source=query.source,
        evidence=(sql_evidence(query.sql),),
    )


def _unknown_role(exam: Exam, query: Query) -> Finding:
    return exam.finding(
        query.name,
        Verdict.NOT_MEASURED,
        f"{query.name}: not measured",
        severity=Severity.LOW,
        cause=f"The address of the database for role {query.role} is not known.",
        fix="Let the instance write it into its handle.",
        source=query.source,
    )


def _measures(planned: Planned) -> tuple[Measure, ...]:
    tree, bound = planned.tree, planned.query.rows_max
    read = sum(scan.rows_read for scan in tree.scans())
    return (
        Measure(name="rows returned", unit="rows", estimate=tree.rows, bound=bound),
        Measure(name="rows read", unit="rows", estimate=read),
    )


def _evidence(planned: Planned) -> tuple[Evidence, ...]:
    whose = planned.person.tenant or planned.person.tenant_id
    title = f"Plan as role {planned.query.role}, in the scope of {whose}"
    return (
        sql_evidence(planned.query.sql),
        Evidence(kind="plan", title=title, text=plan_text(planned.tree)),
    )
