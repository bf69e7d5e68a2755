"""T1 for whoever signs in to the database beside the app: every table, as each role, with nothing set.

Where a database answers browsers itself (PostgREST, Supabase), the key that everybody has is a role. Each role that
requests can change to, and each other one that may sign in, is asked for every table it may reach: what it reads
when nobody said who asks, and whether it may write. A table whose row security is off, or whose policy is true for
everybody, opens here whatever the app's own code does. One DSN is enough; everything is rolled back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import ANONYMOUS, Database, PostgresError
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.leak_scene import REFUSED, Scene, Step, attempt, judged_write
from shipworthy.gauntlet.probes.policies import Policy, policies_by_table
from shipworthy.gauntlet.probes.tables import RELATIONS, VIEWS, TableFacts, app_tables
from shipworthy.gauntlet.subjects import ask_each

# A role without a sign-in of its own that a role which inherits nothing may change to is what requests become:
# PostgREST's authenticator and its anon. The others sign in themselves. None of them owns or bypasses anything.
_ROLES = """
select r.rolname as role, r.rolcanlogin as signs_in, r.rolbypassrls as bypasses,
  pg_has_role(current_user, r.oid, 'member') as may_become
from pg_roles r
where not r.rolsuper and r.rolname !~ '^pg_' and not r.rolname = any($1::text[])
  and (r.rolcanlogin or r.rolname = any($2::text[]) or exists (
    select from pg_auth_members m join pg_roles a on a.oid = m.member
    where m.roleid = r.oid and a.rolcanlogin and not a.rolinherit and not a.rolsuper))
order by r.rolcanlogin, r.rolname
"""
_REACH = """
select has_schema_privilege($1, c.relnamespace, 'usage') and (
    has_table_privilege($1, c.oid, 'select') or has_any_column_privilege($1, c.oid, 'select')) as may_read,
  has_schema_privilege($1, c.relnamespace, 'usage') and has_table_privilege($1, c.oid, 'insert') as may_insert,
  has_schema_privilege($1, c.relnamespace, 'usage') and has_table_privilege($1, c.oid, 'delete') as may_delete,
  pg_has_role($1, c.relowner, 'member') as is_owner
from pg_class c where c.oid = $2::oid
"""
_ANYBODY = ("anon", "anonymous", "web_anon", "public_anon")
# Columns that say whose a row is, or hold what is nobody else's business.
_SOMEBODYS = re.compile(
    r"^(user|owner|author|created_by|account|customer|profile|member|org|organi[sz]ation|team|tenant|workspace|company)"
    r"(_?id)?$|e_?mail|phone|passw|secret|token|iban|birth|address|salary|first_?name|last_?name",
    re.IGNORECASE,
)
_NOBODY = Credential(email="", password="")


@dataclass(frozen=True, kw_only=True)
class _Role:
    """A role to ask as. `answers_requests`: a stranger or any user is behind it; else a process or a person."""

    name: str
    answers_requests: bool
    is_anybody: bool


@dataclass(frozen=True)
class _Tried:
    """What one role tried on one table."""

    role: _Role
    rows_seen: int
    steps: tuple[Step, ...]

    @property
    def writes(self) -> list[Step]:
        return [step for step in self.steps if step.outcome == "leaked"]


async def every_role(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each table that any such role reaches, and one for each role that could not be asked."""
    way_in = exam.database("admin" if exam.can("database.admin") else "app")
    async with way_in.connection() as connection:
        found = await connection.fetch(_ROLES, _own_roles(exam), _named(exam))
        kinds = (*RELATIONS, *VIEWS)
        tables = await app_tables(connection, exam.manifest.tables, exam.manifest.scope, kinds=kinds)
        policies = await policies_by_table(connection)
        roles = [_role(exam, row) for row in found if row["may_become"] and not row["bypasses"]]
        reached = [(table, reach) for table in tables if (reach := await _reached(connection, table, roles))]

        async def ask(_name: str, one: tuple[TableFacts, dict[str, Any]]) -> Finding:
            table, reach = one
            tried = [
                await _tried(way_in, connection, table, role, reach[role.name])
                for role in roles
                if role.name in reach
            ]
            return _judged(exam, table, tried, policies.get(table.oid, []))

        asked = await ask_each(exam, [(table.name, (table, reach)) for table, reach in reached], ask)
    unasked = [_not_asked(exam, row) for row in found if not row["may_become"] and not row["signs_in"]]
    bypassing = [_bypasses(exam, row) for row in found if row["bypasses"] and _role(exam, row).is_anybody]
    return [*asked, *unasked, *bypassing] or [_nobody_else(exam, [role.name for role in roles])]


def _own_roles(exam: Exam) -> list[str]:
    """Return the roles of the app's own processes: what they see is asked elsewhere."""
    own = {exam.database(role).user for role in exam.handle.database_urls}
    return sorted(own - set(_named(exam)))


def _named(exam: Exam) -> list[str]:
    scope = exam.manifest.scope
    return [role for role in (scope.role, scope.anonymous_role, *_ANYBODY, "authenticated") if role]


def _role(exam: Exam, row: Any) -> _Role:
    anybody = exam.manifest.scope.anonymous_role
    return _Role(
        name=row["role"],
        answers_requests=not row["signs_in"] or row["role"] in _named(exam),
        is_anybody=row["role"] == anybody or row["role"] in _ANYBODY,
    )


async def _reached(connection: Any, table: TableFacts, roles: Sequence[_Role]) -> dict[str, Any]:
    """Return what each role may do with a table; a role of a process counts where row security is meant to bind it."""
    found = {}
    for role in roles:
        reach = await connection.fetchrow(_REACH, role.name, table.oid)
        is_bound = role.answers_requests or table.is_secured
        if (
            is_bound
            and not reach["is_owner"]
            and any(reach[f"may_{what}"] for what in ("read", "insert", "delete"))
        ):
            found[role.name] = reach
    return found


async def _tried(way_in: Database, connection: Any, table: TableFacts, role: _Role, reach: Any) -> _Tried:
    database = Database(way_in.url, role=ANONYMOUS, scope=replace(way_in.scope, role=role.name))
    scene = Scene(
        table=table, database=database, connection=connection, admin=connection, mine=_NOBODY, own="", foreign="",
        own_rows=0, foreign_rows=0, rights=reach,
    )  # fmt: skip
    steps, seen = [], 0
    if reach["may_read"]:
        step, seen = await _read(scene, role)
        steps.append(step)
    if reach["may_insert"] and table.kind in RELATIONS:
        done = await attempt(scene, f"insert into {table.quoted} default values", person=None)
        steps.append(_insert(replace(judged_write(scene, "insert a row", done), role=role.name), table))
    if reach["may_delete"] and table.kind == "r":
        sql = f"delete from {table.quoted} where ctid = any(array(select ctid from {table.quoted} limit 1))"  # noqa: S608
        done = await attempt(scene, sql, person=None)
        steps.append(replace(judged_write(scene, "delete a row", done), role=role.name))
    return _Tried(role, seen, tuple(steps))


def _insert(step: Step, table: TableFacts) -> Step:
    """Where row security is on, somebody wrote the policy that lets rows in: a form for everybody needs one."""
    if step.outcome == "leaked" and table.is_secured:
        return replace(step, saw="allowed by a policy", outcome="held")
    return step


async def _read(scene: Scene, role: _Role) -> tuple[Step, int]:
    try:
        async with scene.database.within(scene.connection, None):
            seen: int = await scene.connection.fetchval(f"select count(*) from {scene.table.quoted}")  # noqa: S608
    except PostgresError as refused:
        outcome = "held" if refused.sqlstate == REFUSED else "undecided"
        step = Step(role=role.name, tried="read with nothing set", saw=f"refused: {refused}", outcome=outcome)  # type: ignore[arg-type]
        return step, 0
    return Step(role=role.name, tried="read with nothing set", saw=f"{seen:,} rows"), seen


def _judged(exam: Exam, table: TableFacts, tried: list[_Tried], policies: list[Policy]) -> Finding:
    rows = [(step.role, step.tried, step.saw) for one in tried for step in one.steps]
    facts: dict[str, Any] = {
        "evidence": (
            table_evidence("Tried, and rolled back", ("role", "tried", "saw"), rows),
            table_evidence(
                f"Guards of {table.name}",
                ("what", "is"),
                [
                    ("row security", "on" if table.is_secured else "OFF"),
                    *(("policy", str(p)) for p in policies),
                ],
            ),
        ),
        "measures": (
            Measure(name="rows seen", unit="rows", estimate=max(one.rows_seen for one in tried), bound=0),
        ),
    }
    if open_to := _worst(table, tried, policies):
        one, what, severity = open_to
        return _open(exam, table, one, what, severity, facts)
    if unsure := [step for one in tried for step in one.steps if step.outcome == "undecided"]:
        why = "; ".join(f"as {step.role}, to {step.tried}: {step.saw}" for step in unsure)
        raise Undecided(f"Some attempts could not be judged: {why}.", evidence=facts["evidence"])
    names = ", ".join(one.role.name for one in tried)
    seen = [one for one in tried if one.rows_seen]
    title = f"{table.name}: {names} see nothing of it when nothing says who asks"
    if seen:
        title = f"{table.name} is open for reading to {', '.join(o.role.name for o in seen)}, and holds nobody's own rows"
    return exam.finding(table.name, Verdict.PASS, title, severity=Severity.LOW, **facts)


def _worst(
    table: TableFacts, tried: list[_Tried], policies: list[Policy]
) -> tuple[_Tried, str, Severity] | None:
    """Return the role a table is most open to, what it can do, and how bad that is; None when it is closed."""
    anybody_first = sorted(tried, key=lambda one: (not one.role.is_anybody, not one.role.answers_requests))
    for one in anybody_first:
        if one.writes:
            return one, f"{one.writes[0].tried} ({one.writes[0].saw})", Severity.CRITICAL
    is_table = table.kind in RELATIONS
    holds = next((column for column in table.columns if _SOMEBODYS.search(column)), "")
    for one in anybody_first:
        reads = any(step.tried.startswith("read") and "refused" not in step.saw for step in one.steps)
        if reads and is_table and not table.is_secured and one.role.answers_requests:
            return one, f"read all of its rows ({one.rows_seen:,} today)", Severity.CRITICAL
        if holds and (one.rows_seen or _is_true_for(one.role, policies)):
            what = f"read {one.rows_seen:,} rows of others, {holds} among them"
            return one, what, Severity.CRITICAL if one.role.is_anybody else Severity.HIGH
    return None


def _is_true_for(role: _Role, policies: list[Policy]) -> bool:
    """Say whether a policy lets a role read every row, which shows also while there is none."""
    mine = [p for p in policies if p.command in ("*", "r") and {role.name, "public"} & set(p.roles)]
    strict = [p for p in mine if not p.is_permissive]
    return not strict and any(
        p.is_permissive and (p.using or "").strip("() ").lower() == "true" for p in mine
    )


def _open(
    exam: Exam, table: TableFacts, one: _Tried, what: str, severity: Severity, facts: dict[str, Any]
) -> Finding:
    who = "Whoever has the public key or the address" if one.role.is_anybody else "Whoever is signed in"
    if not one.role.answers_requests:
        who = f"Whoever signs in to the database as {one.role.name}"
    why = "its row security is off" if not table.is_secured else "a policy of it is true for every row"
    if table.kind in VIEWS:
        why = "a view reads with its owner's rights, past row security"
    name = table.quoted
    fix = (
        f"alter table {name} enable row level security;\n"
        f"create policy own_rows on {name} for all to authenticated using (/* whose the row is */ = /* who asks */);"
    )
    if table.is_secured:
        fix = f"-- replace the policies of {name} that are true by ones that compare whose a row is with who asks"
    if table.kind in VIEWS:
        fix = f"alter view {name} set (security_invoker = true);"
    return exam.finding(
        table.name,
        Verdict.FAIL,
        f"{table.name}: role {one.role.name} can {what}",
        severity=severity,
        cause=f"{who} can {what}, whatever the app's own code checks: {why}.",
        fix=f"{fix}\n-- and take from {one.role.name} the rights it does not need: revoke all on {name} from {one.role.name};",
        **facts,
    )


def _not_asked(exam: Exam, row: Any) -> Finding:
    name = row["role"]
    return exam.finding(
        f"role {name}",
        Verdict.NOT_MEASURED,
        f"What role {name} sees could not be measured",
        cause=f"The role of target.database may not change to {name}.",
        fix=f"Set target.database_admin, or: grant {name} to the role of target.database;",
    )


def _bypasses(exam: Exam, row: Any) -> Finding:
    name = row["role"]
    return exam.finding(
        f"role {name}",
        Verdict.FAIL,
        f"Role {name} has BYPASSRLS: no policy binds it",
        cause=f"Everybody may act as {name}, and row security does not look at it.",
        fix=f"alter role {name} nobypassrls;",
    )


def _nobody_else(exam: Exam, roles: list[str]) -> Finding:
    who = f"{', '.join(roles)} reach no table that row security guards" if roles else "there is no other role"
    return exam.finding(
        "all",
        Verdict.PASS,
        f"Only the app's own roles reach its tables: {who}",
        severity=Severity.LOW,
    )
