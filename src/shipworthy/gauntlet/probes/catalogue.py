"""T1 by the catalogue: every table with tenants' rows is guarded, whoever adds what to it later.

What is asked of each table: row security on and FORCEd; a RESTRICTIVE floor to PUBLIC about the
scoping setting, so that a careless USING (true) added later still shows nothing foreign; an
owner that no process signs in as; no TRUNCATE, which row security does not see; keys that do
not tell one tenant what another has. Then the ways around it: roles that bypass, views,
SECURITY DEFINER functions. Whether it works is the leak probe's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.catalogue_facts import Catalogue, read_catalogue, tells_of_others
from shipworthy.gauntlet.probes.policies import Policy, ScopeRule
from shipworthy.gauntlet.probes.tables import TableFacts, uses_row_security
from shipworthy.gauntlet.subjects import ask_each


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """One thing wrong: in words, how to put it right, and how bad it is."""

    words: str
    fix: str
    severity: Severity = Severity.CRITICAL


async def row_security(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each table with tenants' rows, view on one, definer function and role."""
    catalogue = await read_catalogue(exam)
    if not uses_row_security(exam.manifest, catalogue.tables):
        return [_not_used(exam)]

    async def ask_role(_name: str, role: Any) -> Finding:
        return _role_finding(exam, role)

    async def ask_table(_name: str, table: TableFacts) -> Finding:
        return _table_finding(exam, catalogue, table)

    async def ask_view(_name: str, view: Any) -> Finding:
        return _view_finding(exam, view)

    async def ask_definer(_name: str, function: Any) -> Finding:
        return _definer_finding(exam, function)

    async def ask_telling(_name: str, function: Any) -> Finding:
        return _telling_finding(exam, catalogue, function)

    judged = [table for table in catalogue.tables if _is_judged(exam, catalogue, table)]
    return [
        *await ask_each(exam, [(f"role {role['role']}", role) for role in catalogue.roles], ask_role),
        *await ask_each(exam, [(table.name, table) for table in judged], ask_table),
        *await ask_each(exam, [(view["name"], view) for view in catalogue.views], ask_view),
        *await ask_each(exam, [(f["name"], f) for f in catalogue.definers], ask_definer),
        *await ask_each(exam, [(f"{f['name']} tells", f) for f in catalogue.telling], ask_telling),
        *[_missing(exam, name) for name in _declared_and_missing(exam, catalogue) if exam.wants(name)],
    ]


def _is_judged(exam: Exam, catalogue: Catalogue, table: TableFacts) -> bool:
    """A table counts when it has a scope, or when the app reaches one that nobody declared."""
    is_reached = bool(catalogue.roles_that("is_reached", table.oid))
    if table.is_declared:
        return table.is_scoped or (table.scope == "worker" and is_reached and _holds_ids(table))
    is_child = not table.is_secured and bool(catalogue.parents_of(table))
    return is_reached and (table.is_scoped or is_child or bool(exam.manifest.tables))


def _holds_ids(table: TableFacts) -> bool:
    return bool({"tenant_id", "realm_id"} & set(table.columns))


def _table_finding(exam: Exam, catalogue: Catalogue, table: TableFacts) -> Finding:
    problems = list(_problems(exam, catalogue, table))
    evidence = _policies_shown(catalogue, table)
    if not problems:
        title = f"{table.name} is guarded by row security"
        if table.scope == "worker":
            title = f"{table.name} is the worker's own: the app cannot read it"
        return exam.finding(table.name, Verdict.PASS, title, evidence=evidence)
    worst = min(problems, key=lambda problem: list(Severity).index(problem.severity))
    return exam.finding(
        table.name,
        Verdict.FAIL,
        f"{table.name}: {worst.words}",
        severity=worst.severity,
        cause=" ".join(f"{problem.words[:1].upper()}{problem.words[1:]}." for problem in problems),
        fix="\n".join(dict.fromkeys(problem.fix for problem in problems)),
        evidence=evidence,
    )


def _problems(exam: Exam, catalogue: Catalogue, table: TableFacts) -> list[_Problem]:
    if table.scope == "worker":
        return _worker_problems(table, catalogue.roles_that("may_read", table.oid), exam)
    found = []
    if exam.manifest.tables and not table.is_declared:
        found.append(_undeclared(table))
    if table.is_scoped:
        found += _guard_problems(exam, catalogue, table)
        found += _role_problems(catalogue, table)
        found += _key_problems(catalogue, table)
        found += [] if catalogue.is_indexed(table) else [_not_indexed(table)]
    elif not table.is_secured and (parents := catalogue.parents_of(table)):
        found.append(_child(exam, table, parents))
    return found


def _not_indexed(table: TableFacts) -> _Problem:
    """Row security adds the tenant to every statement; without an index each of them reads all tenants' rows."""
    return _Problem(
        words=f"no index begins with {table.column}, so every statement under row security reads all tenants' rows",
        fix=f"create index on {table.quoted} ({table.column});",
        severity=Severity.MEDIUM,
    )


def _child(exam: Exam, table: TableFacts, parents: list[TableFacts]) -> _Problem:
    """Rows that belong to a tenant's row belong to the tenant, and nothing in them says so."""
    column, names = exam.manifest.scope.tenant_column, ", ".join(parent.name for parent in parents)
    return _Problem(
        words=f"its rows belong to {names} and it has neither {column} nor row security: every tenant sees them",
        fix=f"-- give {table.quoted} a {column}, put it into its keys, and enable row security",
    )


def _guard_problems(exam: Exam, catalogue: Catalogue, table: TableFacts) -> list[_Problem]:
    """Row security itself: on, forced, and with policies that keep tenants apart."""
    secure = f"alter table {table.quoted} enable row level security;"
    force = f"alter table {table.quoted} force row level security;"
    found = []
    if not table.is_secured:
        found.append(
            _Problem(words="row security is off, every tenant sees all rows", fix=f"{secure} {force}")
        )
    elif not table.is_forced:
        words = f"row security is not forced, its owner {table.owner} sees all rows"
        found.append(_Problem(words=words, fix=force, severity=Severity.HIGH))
    if rule := catalogue.rule_for(table):
        policies = catalogue.policies_that_apply(table)
        floor = _floor(exam, table, rule)
        found += _policy_problems(rule, policies, floor, is_strict=table.is_declared)
    return found


def _policy_problems(
    rule: ScopeRule, policies: list[Policy], floor: str, *, is_strict: bool
) -> list[_Problem]:
    """A sound floor makes every other policy harmless; without one, each must be sound itself."""
    restrictive = [policy for policy in policies if not policy.is_permissive]
    permissive = [policy for policy in policies if policy.is_permissive]
    if any(policy.is_for_everybody and rule.holds(policy) for policy in restrictive):
        return []
    faults = rule.faults(permissive)
    if not is_strict and permissive and not faults:
        return []
    words = ["it has no RESTRICTIVE policy to PUBLIC about its scope", *rule.faults(restrictive), *faults]
    severity = Severity.CRITICAL if faults or not permissive else Severity.HIGH
    return [_Problem(words="; ".join(words), fix=floor, severity=severity)]


def _floor(exam: Exam, table: TableFacts, rule: ScopeRule) -> str:
    mine = f"{rule.column} = (select nullif(current_setting('{rule.setting}', true), '')::uuid)"
    if table.scope == "tenant" and exam.manifest.scope.tenant_value != "{tenant_id}":
        mine = f"{rule.column} = (select /* the claim that names the tenant, of {rule.setting} */)"
    return (
        f"create policy {table.scope}_floor on {table.quoted} as restrictive for all to public "
        f"using ({mine}) with check ({mine});"
    )


def _role_problems(catalogue: Catalogue, table: TableFacts) -> list[_Problem]:
    found = []
    if owners := catalogue.roles_that("is_owner", table.oid):
        words = f"the app signs in as {', '.join(owners)}, which owns it and may switch row security off"
        found.append(
            _Problem(
                words=words, fix=f"alter table {table.quoted} owner to owner; -- a role nobody signs in as"
            )
        )
    if truncating := catalogue.roles_that("may_truncate", table.oid):
        names = ", ".join(truncating)
        words = f"{names} may TRUNCATE it, which row security does not see"
        found.append(_Problem(words=words, fix=f"revoke truncate on {table.quoted} from {names};"))
    return found


def _key_problems(catalogue: Catalogue, table: TableFacts) -> list[_Problem]:
    """Keys are checked past row security: what they compare, they compare across tenants."""
    column = table.column or ""
    found = []
    for key in catalogue.unique:
        if tells_of_others(key, table):
            words = f"the unique key {key['name']} lacks {column}, so a clash tells what another tenant has"
            fix = f"-- make {key['name']} unique on ({column}, {', '.join(key['columns'])})"
            found.append(_Problem(words=words, fix=fix, severity=Severity.HIGH))
    for key in catalogue.foreign_keys:
        target = catalogue.by_oid.get(key["target_oid"])
        if (
            key["table_oid"] != table.oid
            or target is None
            or target.scope != table.scope
            or not target.is_scoped
        ):
            continue
        if (column, target.column) not in zip(key["columns"], key["targets"], strict=True):
            words = f"the foreign key {key['name']} lacks {column}, so a row may point to another tenant's {target.name}"
            fix = f"-- make {key['name']} reference {target.name} by ({target.column}, {', '.join(key['targets'])})"
            found.append(_Problem(words=words, fix=fix, severity=Severity.HIGH))
    return found


def _worker_problems(table: TableFacts, readers: list[str], exam: Exam) -> list[_Problem]:
    app = exam.database("app").user if exam.can("database.app") else "app"
    if app not in readers:
        return []
    words = f"it belongs to the worker and holds every tenant's ids, yet {app} may read it"
    fix = f"revoke select on {table.quoted} from {app};"  # noqa: S608 - advice, never run
    return [_Problem(words=words, fix=fix, severity=Severity.HIGH)]


def _undeclared(table: TableFacts) -> _Problem:
    return _Problem(
        words="it is not declared in the manifest, so nobody says whose rows it holds",
        fix=f"Declare {table.name} with its scope in the room that owns it.",
        severity=Severity.MEDIUM,
    )


def _role_finding(exam: Exam, role: Any) -> Finding:
    name = role["role"]
    if not role["is_super"] and not role["bypasses"]:
        return exam.finding(f"role {name}", Verdict.PASS, f"Role {name} is subject to row security")
    what = "is a superuser" if role["is_super"] else "has BYPASSRLS"
    return exam.finding(
        f"role {name}",
        Verdict.FAIL,
        f"The app signs in as {name}, which {what}: no policy binds it",
        cause=f"Role {name} {what}. Whatever the tables' policies say, it reads and writes every tenant's rows.",
        fix=f"alter role {name} nosuperuser nobypassrls;",
    )


def _view_finding(exam: Exam, view: Any) -> Finding:
    name = view["name"]
    if view["is_invoker"]:
        return exam.finding(name, Verdict.PASS, f"The view {name} asks with its caller's rights")
    is_copy = view["kind"] == "m"
    return exam.finding(
        name,
        Verdict.FAIL,
        f"The {'materialised ' if is_copy else ''}view {name} shows tenants' rows past row security",
        severity=Severity.CRITICAL if is_copy or view["owner_bypasses"] else Severity.HIGH,
        cause=(
            "A materialised view is a copy without policies." if is_copy
            else f"It reads with the rights of its owner {view['owner']}, not of whoever asks."
        ),
        fix=(
            f"-- replace {name} by a table with row security" if is_copy
            else f"alter view {name} set (security_invoker = true);"
        ),
    )  # fmt: skip


def _definer_finding(exam: Exam, function: Any) -> Finding:
    name = function["name"]
    return exam.finding(
        name,
        Verdict.FAIL,
        f"The function {name} runs as {function['owner']}, past row security",
        cause=f"It is SECURITY DEFINER and {function['owner']} is not bound by the tables' policies.",
        fix=f"alter function {name} security invoker;",
    )


def _telling_finding(exam: Exam, catalogue: Catalogue, function: Any) -> Finding:
    name, table = function["name"], catalogue.by_oid[function["table_oid"]].name
    return exam.finding(
        f"{name} tells",
        Verdict.FAIL,
        f"{name} sends rows of {table} to whoever listens",
        severity=Severity.HIGH,
        cause="A NOTIFY has no row security: every role that may connect may LISTEN to its channel.",
        fix="Send the id of the row only, and let the listener read the row in its own scope.",
    )


def _declared_and_missing(exam: Exam, catalogue: Catalogue) -> list[str]:
    there = {table.name for table in catalogue.tables}
    return [table.name for table in exam.manifest.tables if table.name not in there]


def _missing(exam: Exam, name: str) -> Finding:
    return exam.finding(
        name,
        Verdict.INCONCLUSIVE,
        f"{name} is declared and does not exist",
        severity=Severity.LOW,
        cause=f"The manifest declares a table {name}; the database has none.",
        fix=f"Run the migrations, or take {name} out of the room's tables.",
    )


def _not_used(exam: Exam) -> Finding:
    return exam.finding(
        "all",
        Verdict.NOT_MEASURED,
        "Row security: not measured",
        cause="The app does not use row security, so there is nothing in the database to examine.",
        fix="Enable row security on tables that hold tenants' rows; until then only HTTP can be asked.",
    )


def _policies_shown(catalogue: Catalogue, table: TableFacts) -> tuple[Evidence, ...]:
    state = f"{'on' if table.is_secured else 'OFF'}, {'forced' if table.is_forced else 'not forced'}"
    rows = [("row security", state), ("owner", table.owner)]
    rows += [("policy", str(policy)) for policy in catalogue.policies.get(table.oid, [])]
    return (table_evidence(f"Guards of {table.name}", ("what", "is"), rows),)
