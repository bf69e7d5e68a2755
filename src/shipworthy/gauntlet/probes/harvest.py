"""P6, X1: what the database was asked while the routes ran, and what of it reads whole tables.

For apps that name no queries, and for what an app runs beside those it names. The declared routes
are asked a few times; what pg_stat_statements counted meanwhile is the harvest. Its slowest and most
frequent statements are explained as the app's own role, without values and without running them. A
table of some size that is read whole fails, with the index to try; where the role may, that index is
made in a transaction that is rolled back, to see whether it would be used.
Nothing is reset: somebody else may be counting. The counters are read before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import prepare, samples_of
from shipworthy.gauntlet.check import Mode, Undecided
from shipworthy.gauntlet.db import Database, PostgresError
from shipworthy.gauntlet.evidence import sql_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.counted_route import is_askable, watching
from shipworthy.gauntlet.probes.harvested import (
    Harvested,
    WholeRead,
    estimated_rows,
    generic_plan,
    harvested_between,
    index_for,
    largest_shares,
    partial_indexes,
    read_statements,
    whole_reads,
    with_constants,
)
from shipworthy.gauntlet.probes.plan_tree import PlanNode, plan_text
from shipworthy.gauntlet.probes.tables import TableFacts, app_tables
from shipworthy.gauntlet.subjects import ask_each

# Reading routes are asked as often: once shows what runs, more often what it takes.
ASKED_EACH: dict[Mode, int] = {"quick": 1, "full": 3}
TAKEN = 20  # of the slowest, and of the most frequent
JUDGED_ROWS_MIN = 1_000  # below, the planner is right to read a table whole
TRIAL_TIMEOUT = "10s"  # for making an index that is rolled back
LOCK_TIMEOUT = "1s"  # whoever holds the table must not be kept waiting behind us


@dataclass(frozen=True, kw_only=True)
class _Field:
    """What the statements are judged against."""

    database: Database
    connection: Any
    person: Credential | None
    rows: dict[str, int]
    tables: dict[str, TableFacts]
    partial: dict[str, list[str]]  # table -> conditions of its partial indexes
    shares: dict[str, float]  # table -> the part of it that its largest tenant holds

    def rows_read(self, read: WholeRead) -> int:
        """Return how many rows a whole read looks at, for the largest tenant where it is a share."""
        rows = self.rows.get(read.table, 0)
        if not read.is_share:
            return rows
        return round(rows * self.shares.get(read.table, 0.0))

    async def plan(self, text: str) -> PlanNode:
        """Errors: PostgresError."""
        async with self.database.within(self.connection, self.person):
            return await generic_plan(self.connection, text)


async def harvest(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each statement worth looking at."""
    user = exam.database("app").user
    async with watching(exam) as watch:
        connection = watch.connection
        if exam.people:
            await exam.samples_for(
                exam.people[0]
            )  # looked up as the app's role: not to be taken for its work
        before = await read_statements(connection, user)
        asked = await _drive(exam)
        ran = harvested_between(before, await read_statements(connection, user))
        tables = {
            table.name: table
            for table in await app_tables(connection, exam.manifest.tables, exam.manifest.scope)
        }
        rows, partial = await estimated_rows(connection), await partial_indexes(connection)
        shares = await largest_shares(connection, tables)
    if not ran:
        raise Undecided(
            f"While {asked} requests were answered, the role {user!r} ran no statement.",
            fix="Let target.database name the role and the database that the app itself uses.",
        )
    person = exam.people[0] if exam.people and exam.people[0].tenant_id else None
    database = exam.database("app")
    async with database.connection() as own:
        field = _Field(
            database=database,
            connection=own,
            person=person,
            rows=rows,
            tables=tables,
            partial=partial,
            shares=shares,
        )

        async def ask(_name: str, statement: Harvested) -> Finding:
            return await _judged(exam, field, statement)

        return await ask_each(exam, [(statement.name, statement) for statement in _worth(ran)], ask)


async def _drive(exam: Exam) -> int:
    """Ask what is declared, the reading routes a few times; return how many requests were answered."""
    answered = 0
    person = exam.people[0] if exam.people else None
    for route in [*exam.manifest.routes, *_of_journeys(exam)]:
        if not is_askable(exam, route):
            continue
        for _ in range(ASKED_EACH[exam.mode] if route.method == "GET" else 1):
            with suppress(Undecided):
                samples = await exam.samples_for(person) if person and samples_of(route) else {}
                await ask_route(exam, prepare(route, samples), person if route.auth == "session" else None)
                answered += 1
    return answered


def _of_journeys(exam: Exam) -> list[Route]:
    """Return the steps of journeys that can be sent as they stand."""
    declared = {(route.method, route.path) for route in exam.manifest.routes}
    steps = {
        (step.method, step.path): Route(
            name=journey.name, room="", method=step.method, path=step.path, host=step.host,
            auth="session" if journey.login else "public",
        )
        for journey in exam.manifest.journeys
        for step in journey.steps
        if step.method == "GET" and "{" not in step.path and (step.method, step.path) not in declared
    }  # fmt: skip
    return list(steps.values())


def _worth(ran: list[Harvested]) -> list[Harvested]:
    """Return the slowest and the most frequent statements, each once, the slowest first."""
    slowest = sorted(ran, key=lambda statement: -statement.time_ms)
    often = sorted(ran, key=lambda statement: -statement.calls)
    chosen = {statement.name: statement for statement in [*slowest[:TAKEN], *often[:TAKEN]]}
    return list(chosen.values())


async def _judged(exam: Exam, field: _Field, statement: Harvested) -> Finding:
    text = with_constants(statement.text)
    try:
        tree = await field.plan(text)
        for table in {read.table for read in whole_reads(tree, field.tables)} & field.partial.keys():
            text = with_constants(text, field.partial[table])
            tree = await field.plan(text)
    except PostgresError as refused:
        return exam.finding(
            statement.name,
            Verdict.NOT_MEASURED,
            f"{statement.name} could not be explained",
            cause=f"Its text without values is no statement by itself: {refused}",
            fix="Name it in a catalogue of queries (see docs: manifest), or explain it by hand.",
            evidence=(sql_evidence(statement.text),),
        )
    reads = [read for read in whole_reads(tree, field.tables) if read.table in field.rows]
    large = [read for read in reads if field.rows_read(read) > JUDGED_ROWS_MIN]
    facts: dict[str, Any] = {"evidence": _evidence(statement, tree)}
    if large:
        largest = max(large, key=field.rows_read)
        return await _fails(exam, field, statement, text, tree, largest)
    if reads := [read for read in reads if not read.is_share]:
        small = ", ".join(f"{read.table} has {field.rows[read.table]:,} rows" for read in reads)
        return exam.finding(
            statement.name,
            Verdict.NOT_MEASURED,
            f"{statement.name}: its tables are too small to judge",
            cause=f"It reads a table whole, as the planner should with so few rows: {small}.",
            fix=f"Fill the database with more than {JUDGED_ROWS_MIN:,} rows a table before the examination.",
            **facts,
        )
    title = f"{statement.name} reads no table whole"
    return exam.finding(statement.name, Verdict.PASS, title, severity=Severity.LOW, **facts)


async def _fails(
    exam: Exam, field: _Field, statement: Harvested, text: str, tree: PlanNode, read: WholeRead
) -> Finding:
    rows, table = field.rows_read(read), field.tables.get(read.table)
    index = index_for(read, table.columns, table.quoted) if table else None
    tried = await _tried(field, text, tree, index) if index else ""
    where = f", and the plan throws away what does not fit {read.condition}" if read.condition else ""
    whose = "a tenant in " if read.is_share else ""
    how = f"A Seq Scan reads {read.table} whole"
    if read.is_share:
        how = f"An index finds the tenant in {read.table} and nothing more: its whole share is read"
    mean_ms = statement.time_ms / max(statement.calls, 1)
    return exam.finding(
        statement.name,
        Verdict.FAIL,
        f"{statement.name} reads all {rows:,} rows of {whose}{read.table}",
        cause=f"{how}{where}. It ran {_often(statement.calls)}, {mean_ms:.1f} ms each: that "
        "grows with the table.",
        fix=index
        or f"Ask for part of {read.table} (a condition with an index, or LIMIT with a key to go on from).",
        evidence=(
            *_evidence(statement, tree),
            *([Evidence(kind="text", title="The index, tried", text=tried)] if tried else []),
        ),
    )


async def _tried(field: _Field, text: str, tree: PlanNode, index: str) -> str:
    """Make the index in a transaction that is rolled back, and say what the plan would be."""
    try:
        async with field.database.within(field.connection, field.person):
            await field.connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
            await field.connection.execute(f"set local statement_timeout = '{TRIAL_TIMEOUT}'")
            await field.connection.execute(index.replace(" concurrently", ""))
            with_index = await generic_plan(field.connection, text)
    except PostgresError as refused:
        return f"It was not tried: {refused}."
    costs = [float(node.facts.get("Total Cost", 0)) for node in (tree, with_index)]
    if with_index.indexes() == tree.indexes():
        return "Made for a trial and rolled back: the planner would not use it."
    return (
        f"Made for a trial and rolled back: the estimated cost falls from {costs[0]:,.0f} to {costs[1]:,.0f}.\n\n"
        + plan_text(with_index)
    )


def _evidence(statement: Harvested, tree: PlanNode) -> tuple[Evidence, ...]:
    row = (statement.calls, f"{statement.time_ms:.1f}", statement.rows)
    return (
        sql_evidence(statement.text, "As the database remembers it"),
        Evidence(kind="plan", title="Planned without values, as the app's role", text=plan_text(tree)),
        table_evidence("While the routes were asked", ("calls", "ms in all", "rows"), [row]),
    )


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times:,} times"
