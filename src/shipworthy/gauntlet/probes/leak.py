"""T1 by behaviour, in SQL: as one tenant, try to read and write what belongs to another.

The catalogue says what should hold; this asks the running database. Every role the app signs
in as tries every table: in the scope of tenant A, in the scope of nobody known, and with no
scope at all (what a forgotten scope looks like, on a connection that was scoped before). Each
refusal has its control: the same thing done with A's own rows must work, so that nothing is
refused for the wrong reason. Views that show whose a row is are asked like tables; keys are asked what
they let through and tell (leak_keys); who is not signed in is a role of its own, where the app has one
for them. Everything is rolled back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.db import ANONYMOUS, Database, PostgresError
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.catalogue_facts import UNIQUE_KEYS, tells_of_others
from shipworthy.gauntlet.probes.leak_keys import ask_keys, row_like
from shipworthy.gauntlet.probes.leak_scene import (
    REFUSED,
    Account,
    Attempt,
    Outcome,
    Scene,
    Step,
    attempt,
    judged_write,
)
from shipworthy.gauntlet.probes.made_up import made_up_like
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import (
    RELATIONS,
    VIEWS,
    TableFacts,
    app_tables,
    uses_row_security,
)
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
_COPIED_ROWS_MAX = 20_000  # of a table that is copied out whole, one column of it


async def two_tenants_sql(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each table that holds tenants' rows, and each view that shows whose they are."""
    mine, theirs = [person for person in exam.people if person.tenant_id][:2]
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(exam.database("admin").connection())
        of, kinds = exam.manifest, (*RELATIONS, *VIEWS)
        relations = await app_tables(admin, of.tables, of.scope, kinds=kinds)
        if not uses_row_security(of, relations):
            raise Unmeasurable(
                "The app does not use row security and does not say how a tenant is set.",
                fix="Add [scope] to gauntlet.toml: tenant_setting and tenant_column.",
            )
        ways = [
            (database, await stack.enter_async_context(database.connection())) for database in _ways_in(exam)
        ]
        by_oid = {table.oid: table for table in relations}
        keys = await admin.fetch(UNIQUE_KEYS)

        async def ask(_name: str, table: TableFacts) -> Finding:
            account = Account(rows=await admin.fetchval(f"select count(*) from {table.quoted}"))  # noqa: S608
            telling = frozenset(key["name"] for key in keys if tells_of_others(key, table))
            for database, connection in ways:
                scene = await _scene(admin, table, database, connection, mine, theirs)
                if database.role == ANONYMOUS:
                    await _play_anonymous(scene, account)
                    continue
                await _play(scene, account)
                account.steps += await ask_keys(scene, by_oid, telling)
            return _finding(exam, table, account)

        return await ask_each(exam, [(table.name, table) for table in relations if table.is_scoped], ask)


def _ways_in(exam: Exam) -> list[Database]:
    """Return the ways of all roles that the app's processes sign in as, and of who is not signed in."""
    ways = [exam.database(role) for role in exam.handle.database_urls if role != "admin"]
    anonymous = (way.anonymous() for way in ways if way.role == "app")
    return [*ways, *(way for way in anonymous if way is not None)]


async def _scene(
    admin: Any, table: TableFacts, database: Database, connection: Any, mine: Credential, theirs: Credential
) -> Scene:
    own, foreign = _scoping_values(table, mine, theirs)
    counts = (
        f"select count(*) filter (where {quote(table.column or '')}::text = $1),"  # noqa: S608
        f" count(*) filter (where {quote(table.column or '')}::text = $2) from {table.quoted}"
    )
    own_rows, foreign_rows = await admin.fetchrow(counts, own, foreign)
    return Scene(
        table=table,
        database=database,
        connection=connection,
        admin=admin,
        mine=mine,
        own=own,
        foreign=foreign,
        own_rows=own_rows,
        foreign_rows=foreign_rows,
        rights=await admin.fetchrow(_RIGHTS, database.acts_as, table.oid, table.column),
    )


def _scoping_values(table: TableFacts, mine: Credential, theirs: Credential) -> tuple[str, str]:
    """Return whose rows are asked for. Tenants of one realm share its rows: there, the other is nobody."""
    if table.scope == "tenant":
        return mine.tenant_id, theirs.tenant_id
    shared = mine.realm_id == theirs.realm_id
    return mine.realm_id, made_up_like(mine.realm_id) if shared else theirs.realm_id


async def _play(scene: Scene, account: Account) -> None:
    if scene.rights["may_read"] and await _read_in_scope(scene, account):
        await _read_as_nobody(scene, account)
        await _read_unscoped(scene, account)
        if scene.table.kind == "r" and account.rows <= _COPIED_ROWS_MAX:
            await _copy_out(scene, account)
    await _write(scene, account, person=scene.mine)


async def _play_anonymous(scene: Scene, account: Account) -> None:
    """Who is not signed in has no tenant at all: whatever is seen or written is somebody else's."""
    if scene.rights["may_read"]:
        await _read_unscoped(scene, account)
    await _write(scene, account, person=None)


async def _write(scene: Scene, account: Account, *, person: Credential | None) -> None:
    if scene.rights["may_insert"]:
        account.steps += await _insert_foreign(scene, person)
    if scene.rights["may_move"] and scene.rights["may_read"] and scene.own_rows and person is not None:
        account.steps.append(await _move_to_foreign(scene))
    if scene.foreign_rows and scene.rights["touchable"]:
        touched = quote(scene.rights["touchable"])
        update = f"update {scene.table.quoted} set {touched} = {touched}"  # noqa: S608 - quoted names
        account.steps.append(await _write_foreign(scene, update, person))
    if scene.foreign_rows and scene.rights["may_delete"]:
        delete = f"delete from {scene.table.quoted}"  # noqa: S608 - a quoted name
        account.steps.append(await _write_foreign(scene, delete, person))


async def _read_in_scope(scene: Scene, account: Account) -> bool:
    """Return whether it may be read at all."""
    sql = (
        f"select count(*), count(*) filter (where {scene.column}::text is distinct from $1)"  # noqa: S608
        f" from {scene.table.quoted}"
    )
    tried = "read in its own scope"
    try:
        async with scene.database.within(scene.connection, scene.mine):
            seen, foreign = await scene.connection.fetchrow(sql, scene.own)
    except PostgresError as refused:  # a view may be granted, and what it reads not
        outcome: Outcome = "held" if refused.sqlstate == REFUSED else "undecided"
        account.steps.append(scene.step(tried, f"refused: {refused}", outcome))
        return False
    account.foreign_rows_seen += foreign
    own = seen - foreign
    # A role that sees nothing at all cannot show that it sees nothing foreign.
    blind = scene.own_rows and not seen
    saw = f"{own:,} own rows, {foreign:,} of others"
    step = scene.step(tried, saw, "leaked" if foreign else "held")
    if blind:
        step = replace(step, saw=f"{own:,} of its own {scene.own_rows:,} rows", outcome="undecided")
    account.steps.append(step)
    return True


async def _read_as_nobody(scene: Scene, account: Account) -> None:
    nobody = replace(
        scene.mine, tenant_id=made_up_like(scene.mine.tenant_id), realm_id=made_up_like(scene.mine.realm_id)
    )
    async with scene.database.within(scene.connection, nobody):
        seen = await _count(scene)
    account.foreign_rows_seen += seen
    account.steps.append(
        scene.step(
            "read in the scope of a tenant nobody knows",
            f"{seen:,} rows",
            "leaked" if seen else "held",
        )
    )


async def _read_unscoped(scene: Scene, account: Account) -> None:
    """A connection that was scoped before keeps an empty setting: it must show nothing, not fail."""
    tried = "read with no scope set"
    try:
        async with scene.database.within(scene.connection, None):
            seen = await _count(scene)
    except PostgresError as error:
        step = scene.step(tried, f"an error instead of nothing: {error}", "leaked")
        account.steps.append(replace(step, severity=Severity.HIGH))
        return
    account.foreign_rows_seen += seen
    account.steps.append(scene.step(tried, f"{seen:,} rows", "leaked" if seen else "held"))


async def _copy_out(scene: Scene, account: Account) -> None:
    """COPY is another statement than SELECT, and must show the same rows."""
    lines = bytearray()

    async def take(part: bytes) -> None:
        lines.extend(part)

    tried = "COPY the table out in its own scope"
    async with scene.database.within(scene.connection, scene.mine):
        try:
            await scene.connection.copy_from_table(
                scene.table.name, schema_name=scene.table.schema, columns=[scene.table.column], output=take
            )
        except PostgresError as refused:
            account.steps.append(scene.step(tried, f"refused: {refused}"))
            return
    foreign = sum(line != scene.own for line in lines.decode().splitlines())
    account.foreign_rows_seen += foreign
    account.steps.append(scene.step(tried, f"{foreign:,} rows of others", "leaked" if foreign else "held"))


async def _count(scene: Scene) -> int:
    seen: int = await scene.connection.fetchval(f"select count(*) from {scene.table.quoted}")  # noqa: S608
    return seen


async def _insert_foreign(scene: Scene, person: Credential | None) -> list[Step]:
    tried = "insert a row that belongs to another"
    control = await _insert(scene, scene.own, person)
    if control is None:
        return []
    if control.by_row_security and person is not None:
        return [scene.step(tried, "even its own rows are refused, so this proves nothing")]
    done = await _insert(scene, scene.foreign, person)
    return [judged_write(scene, tried, done)] if done is not None else []


async def _insert(scene: Scene, scope: str, person: Credential | None) -> Attempt | None:
    """Row security looks before constraints do, so a row of nothing but its scope is enough; except where a
    partition must be found first: that takes a whole row."""
    sql = f"insert into {scene.table.quoted} ({scene.column}) values ($1::text::{scene.rights['type']})"  # noqa: S608
    if scene.table.kind != "p":
        return await attempt(scene, sql, scope, person=person)
    made = await row_like(scene, of=scene.own, scope=scope)
    return await attempt(scene, made[0], *made[1], person=person) if made is not None else None


async def _move_to_foreign(scene: Scene) -> Step:
    table = scene.table
    sql = f"update {table.quoted} set {scene.column} = $1::text::{scene.rights['type']}"  # noqa: S608 - quoted names
    if table.kind in RELATIONS:  # a view has no ctid; one row is enough elsewhere
        sql += f" where ctid = (select ctid from {table.quoted} limit 1)"  # noqa: S608 - a quoted name
    done = await attempt(scene, sql, scene.foreign, person=scene.mine)
    return judged_write(scene, "hand a row of its own to another", done)


async def _write_foreign(scene: Scene, statement: str, person: Credential | None) -> Step:
    sql = f"{statement} where {scene.column}::text = $1"
    verb = statement.partition(" ")[0]
    done = await attempt(scene, sql, scene.foreign, person=person)
    return judged_write(scene, f"{verb} rows that belong to another", done)


def _finding(exam: Exam, table: TableFacts, account: Account) -> Finding:
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


def _leak(exam: Exam, table: TableFacts, leaks: list[Step], facts: dict[str, Any]) -> Finding:
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
