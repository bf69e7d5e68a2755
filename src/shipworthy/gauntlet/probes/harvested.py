"""Statements as the database remembers them, explained without their values, and the index they lack.

Knows no route and no verdict: from pg_stat_statements to plans, from a plan to what it reads whole.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.gauntlet.db import PostgresError
from shipworthy.gauntlet.probes.plan_tree import PlanNode, parse_plan
from shipworthy.gauntlet.probes.statement_counts import is_the_apps, no_statistics
from shipworthy.gauntlet.probes.tables import TableFacts

_READ = """
select s.queryid::text as id, s.query as text, sum(s.calls)::bigint as calls,
  sum(s.total_exec_time)::float8 as time_ms, sum(s.rows)::bigint as rows
from pg_stat_statements s
where s.userid = (select oid from pg_roles where rolname = $1)
  and s.dbid = (select oid from pg_database where datname = current_database())
group by s.queryid, s.query
"""
_ROWS = """
select c.relname as name, greatest(c.reltuples, coalesce(s.n_live_tup, 0), 0)::bigint as rows
from pg_class c left join pg_stat_all_tables s on s.relid = c.oid
where c.relkind in ('r', 'p') and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""
_PARTIAL = """
select t.relname as name, pg_get_expr(x.indpred, x.indrelid) as condition
from pg_index x join pg_class t on t.oid = x.indrelid
where x.indisvalid and pg_get_expr(x.indpred, x.indrelid) like '%''%'
"""
_SHARES = """
select tablename, attname, greatest(coalesce(most_common_freqs[1], 0), 1 / n_distinct) as share
from pg_stats where n_distinct >= 1
"""
# What the statistics forget of a LIMIT: planned for no value it would stand for a tenth of the table.
PAGE_ROWS = 50
_STOPS = ((re.compile(r"\blimit\s+\$\d+", re.IGNORECASE), f"limit {PAGE_ROWS}"), (re.compile(r"\boffset\s+\$\d+", re.IGNORECASE), "offset 0"))  # fmt: skip
_PREDICATE = re.compile(r"^\(\(?\"?(\w+)\"?\)?(?:::\w+)? (=|<>) ('(?:[^']|'')*')(?:::[\w ]+)?\)$")
_PLAIN_INSERT = re.compile(r"^\s*(?:/\*.*?\*/\s*)*insert\b(?:(?!\bselect\b).)*$", re.IGNORECASE | re.DOTALL)
_EXPLAINABLE = re.compile(r"^\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*(select|insert|update|delete|with|merge)\b", re.IGNORECASE | re.DOTALL)  # fmt: skip
_EQUAL = re.compile(r"\(?\"?(\w+)\"?\)?(?:::[\w ]+)?\s*=\s")
_LOWERED = re.compile(r"(lower|upper)\(\(?\"?(\w+)\"?\)?(?:::[\w ]+)?\)\s*=\s", re.IGNORECASE)
_RANGED = re.compile(r"\(?\"?(\w+)\"?\)?(?:::[\w ]+)?\s*(?:<=?|>=?)\s")
_SORT_KEY = re.compile(r"^(?:\w+\.)?\"?(\w+)\"?( DESC)?", re.IGNORECASE)
_LONG_WORDS = 40


@dataclass(frozen=True)
class Harvested:
    """One statement and what it cost since it was first looked at."""

    id: str
    text: str
    calls: int
    time_ms: float
    rows: int

    @property
    def name(self) -> str:
        """What findings call it: its beginning, and a mark of its whole text that stays the same."""
        words = " ".join(re.sub(r"/\*.*?\*/|--[^\n]*", " ", self.text, flags=re.DOTALL).split())
        mark = hashlib.sha256(words.encode()).hexdigest()[:6]
        verb, _, rest = words.partition(" ")
        tables = re.search(r"\b(?:from|into|update|join)\s+([\w.\"]+)", words, re.IGNORECASE)
        about = f"… {tables.group(1)}" if tables else rest[:_LONG_WORDS]
        return f"{verb.lower()} {about} [{mark}]"


@dataclass(frozen=True)
class WholeRead:
    """A table that a plan reads from end to end, or (`is_share`) one tenant's share of it, to throw most
    of it away. `order` are the sort keys right above it."""

    table: str
    condition: str
    order: tuple[str, ...] = ()
    is_share: bool = False


async def read_statements(connection: Any, user: str) -> dict[str, Harvested]:
    """Return what a role has run so far, by id. Errors: Unmeasurable without statement statistics."""
    try:
        rows = await connection.fetch(_READ, user)
    except PostgresError as missing:
        raise no_statistics(missing) from missing
    return {
        row["id"]: Harvested(row["id"], row["text"], row["calls"], row["time_ms"], row["rows"])
        for row in rows
        if row["text"] and is_the_apps(row["text"]) and _reads(row["text"])
    }


def harvested_between(before: dict[str, Harvested], after: dict[str, Harvested]) -> list[Harvested]:
    """Return what ran in between, with what it cost then."""
    found = []
    for number, late in after.items():
        early = before.get(number)
        calls = late.calls - (early.calls if early else 0)
        if calls > 0:
            time_ms, rows = (early.time_ms, early.rows) if early else (0.0, 0)
            found.append(Harvested(number, late.text, calls, late.time_ms - time_ms, late.rows - rows))
    return found


def _reads(text: str) -> bool:
    """Say whether a statement reads anything: one that only puts values into a table has no plan to judge."""
    return bool(_EXPLAINABLE.match(text)) and not _PLAIN_INSERT.match(text)


async def estimated_rows(connection: Any) -> dict[str, int]:
    """Return how many rows each table has, as the database knows without counting."""
    rows = await connection.fetch(_ROWS)
    return {row["name"]: row["rows"] for row in rows}


async def largest_shares(connection: Any, tables: Mapping[str, TableFacts]) -> dict[str, float]:
    """Return which part of each scoped table its largest tenant holds (0..1), as the statistics tell."""
    found = {}
    for row in await connection.fetch(_SHARES):
        table = tables.get(row["tablename"])
        if table is not None and table.column == row["attname"]:
            found[table.name] = float(row["share"])
    return found


async def partial_indexes(connection: Any) -> dict[str, list[str]]:
    """Return the conditions of each table's partial indexes, where they compare with a constant."""
    found: dict[str, list[str]] = {}
    for row in await connection.fetch(_PARTIAL):
        found.setdefault(row["name"], []).append(row["condition"])
    return found


def with_constants(text: str, conditions: Sequence[str] = ()) -> str:
    """Return a remembered statement with the constants it must have had put back.

    Statistics replace every constant by a parameter, and a plan without values then misses what the
    app's own does: a LIMIT that stops early, a partial index whose condition is met. `conditions` are
    those of partial indexes, of the kind column = 'constant' or column <> 'constant'; others are left
    alone.
    """
    for pattern, constant in _STOPS:
        text = pattern.sub(constant, text)
    for found in filter(None, map(_PREDICATE.match, conditions)):
        column, operator, constant = found.groups()
        literal = constant.replace("\\", r"\\")  # it may hold what a replacement reads as a reference
        said = "(?:<>|!=)" if operator == "<>" else "="
        text = re.sub(rf"(\b{column}\s*{said}\s*)\$\d+", rf"\g<1>{literal}", text)
    numbers: dict[str, str] = {}  # a number that is gone would be a parameter without a type
    return re.sub(r"\$\d+", lambda match: numbers.setdefault(match.group(), f"${len(numbers) + 1}"), text)


async def generic_plan(connection: Any, text: str) -> PlanNode:
    """Return the plan for a statement whatever its values are. Nothing runs.

    A prepared statement under force_generic_plan is planned for no value in particular, as
    EXPLAIN (GENERIC_PLAN) does from PostgreSQL 16 on; this way goes from 12 on.
    Errors:  PostgresError for a text that cannot be prepared as it is remembered.
    """
    await connection.execute("deallocate all")  # what a statement that could not be explained left behind
    await connection.execute("set local plan_cache_mode = force_generic_plan")
    await connection.execute(f"prepare shipworthy_harvest as {text.rstrip().rstrip(';')}")
    number = await connection.fetchval(
        "select coalesce(array_length(parameter_types, 1), 0) from pg_prepared_statements "
        "where name = 'shipworthy_harvest'"
    )
    values = f"({', '.join(['null'] * number)})" if number else ""
    explained = await connection.fetchval(f"explain (format json) execute shipworthy_harvest{values}")
    await connection.execute("deallocate shipworthy_harvest")
    return parse_plan(json.loads(explained))


def whole_reads(tree: PlanNode, tables: Mapping[str, TableFacts]) -> list[WholeRead]:
    """Return the tables that a plan reads whole. One that a LIMIT stops early is not among them.

    Where every key begins with the tenant, a missing index shows as an index scan that finds the
    tenant and nothing else: that is a whole read of the tenant's share.
    """
    return list(_whole_reads(tree, tables, is_stopped=False, order=()))


def index_for(read: WholeRead, columns: Sequence[str], quoted: str) -> str | None:
    """Return the statement that makes the index a whole read lacks; None where no column shows."""
    lowered = [
        f"{call.lower()}({name})" for call, name in _LOWERED.findall(read.condition) if name in columns
    ]
    equal = [name for name in _EQUAL.findall(read.condition) if name in columns]
    ranged = [name for name in _RANGED.findall(read.condition) if name in columns][:1]
    order = [key for key in map(_ordered, read.order) if key.split()[0] in columns]
    keys = list(dict.fromkeys([*equal, *lowered, *([] if ranged else order), *ranged]))
    return f"create index concurrently on {quoted} ({', '.join(keys)});" if keys else None


def _whole_reads(
    node: PlanNode, tables: Mapping[str, TableFacts], *, is_stopped: bool, order: tuple[str, ...]
) -> Iterator[WholeRead]:
    if (
        node.table
        and node.table in tables
        and node.kind in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
    ):
        yield from _share(node, tables[node.table], order)
    if node.kind == "Seq Scan" and node.table:
        condition = str(node.facts.get("Filter", ""))
        if condition or not is_stopped:
            yield WholeRead(node.table, condition, order)
    if node.kind == "Limit":
        is_stopped = True
    elif node.kind not in ("Seq Scan", "Nested Loop", "Append", "Subquery Scan", "LockRows", "Result"):
        is_stopped = False  # a sort, a hash or a sum reads all of it before it gives the first row
    if node.kind in ("Sort", "Incremental Sort"):
        order = tuple(node.facts.get("Sort Key", ()))
    for child in node.children:
        yield from _whole_reads(child, tables, is_stopped=is_stopped, order=order)


def _share(node: PlanNode, table: TableFacts, order: tuple[str, ...]) -> Iterator[WholeRead]:
    """Yield the read of a tenant's whole share: found by the scope alone, filtered by what equals something."""
    found_by = str(node.facts.get("Index Cond") or node.facts.get("Recheck Cond", ""))
    condition = str(node.facts.get("Filter", ""))
    scope = {table.column, "tenant_id", "realm_id"}
    keys = {name for name in _EQUAL.findall(found_by) if name in table.columns}
    sought = {name for name in _EQUAL.findall(condition) if name in table.columns} - scope
    if keys and keys <= scope and sought and not _RANGED.search(found_by):
        yield WholeRead(table.name, f"({found_by} AND {condition})", order, is_share=True)


def _ordered(key: str) -> str:
    found = _SORT_KEY.match(key)
    return f"{found.group(1)}{(found.group(2) or '').lower()}" if found else key
