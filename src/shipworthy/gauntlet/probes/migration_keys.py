"""Keys and indexes of tables with tenants' rows, as the migrations left them.

The scope comes first in every key, so that a tenant's rows lie together and the table can be spread by tenant.
Under row security a condition may use an index only if its operator is leakproof; an index on a type whose
operators are not is one that no query of the app will ever use. Row security itself: isolation.row_security.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Table
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.exam import Exam

_KEYS = """
select i.indexrelid::regclass::text as index, i.indrelid::regclass::text as table, k.position, i.indisprimary as is_primary,
  i.indexrelid::regclass::text !~ '"' and not i.indisunique and i.indpred is null and i.indexprs is null
    and i.indnatts = i.indnkeyatts and not i.indoption::int2[] && array[1, 2, 3]::int2[]
    and (select m.amname from pg_class x join pg_am m on m.oid = x.relam where x.oid = i.indexrelid) = 'btree' as is_plain,
  coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, k.position::int, true)) as column, t.typname::text as type,
  coalesce((
    select bool_and(p.proleakproof) from pg_amop o
    join pg_operator op on op.oid = o.amopopr join pg_proc p on p.oid = op.oprcode
    where o.amopfamily = oc.opcfamily and o.amoplefttype = oc.opcintype and o.amoprighttype = oc.opcintype
      and o.amoppurpose = 's'), false) as is_leakproof
from pg_index i
join pg_class c on c.oid = i.indrelid
cross join lateral unnest(i.indclass::oid[], i.indkey::int2[]) with ordinality k (class, number, position)
join pg_opclass oc on oc.oid = k.class
join pg_type t on t.oid = oc.opcintype
left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number > 0
where c.relkind in ('r', 'p') and k.position <= i.indnkeyatts
  and not exists (select from pg_constraint x where x.conindid = i.indexrelid and x.contype = 'x')
order by 2, 1, 3
"""  # an exclusion constraint is there to refuse rows, not to find them


async def keys_scoped(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each declared table with tenants' rows."""
    scoped = [table for table in exam.manifest.tables if table.scope in ("tenant", "realm") and table.column]
    by_table: dict[str, list[Any]] = defaultdict(list)
    for row in await exam.database("admin").fetch(_KEYS):
        by_table[row["table"].strip('"')].append(row)
    return [_judged(exam, table, by_table[table.name]) for table in scoped if exam.wants(table.name)]


def _judged(exam: Exam, table: Table, rows: list[Any]) -> Finding:
    indexes = {row["index"]: row for row in rows}
    measure = Measure(name="keys and indexes", unit="indexes", estimate=len(indexes))
    if not any(row["is_primary"] for row in rows):
        title = f"{table.name} has no primary key"
        fix = f"-- alter table {table.name} add primary key ({table.column}, …);"
        return exam.finding(
            table.name, Verdict.FAIL, title, severity=Severity.HIGH, fix=fix, measures=(measure,)
        )
    loose = [row for row in rows if row["position"] == 1 and row["column"] != table.column]
    leaky = [row for row in rows if not row["is_leakproof"]]
    if not loose and not leaky:
        title = f"{table.name}: {table.column} comes first in {len(indexes)} keys and indexes, each of leakproof types"
        return exam.finding(table.name, Verdict.PASS, title, measures=(measure,))
    words = [f"{row['index']} begins with {row['column']}, not with {table.column}" for row in loose]
    words += [
        f"{row['index']} is on {row['column']} ({row['type']}), which is not leakproof, so no query under row security uses it"
        for row in leaky
    ]
    return exam.finding(
        table.name,
        Verdict.FAIL,
        f"{table.name}: {words[0]}",
        severity=Severity.MEDIUM,
        cause=f"{'; '.join(words)}.",
        fix=_anew(table, [] if leaky else loose, rows)
        or (
            f"Begin every key and index with {table.column}; keep in it what compares leakproof: uuid, bigint, "
            "text, date, timestamptz. Money is bigint, a status is text."
        ),
        measures=(measure,),
    )


def _anew(table: Table, loose: list[Any], rows: list[Any]) -> str:
    """Return the statements that make plain indexes anew with the scope first; nothing for keys, and for what
    says more than its columns (a condition, an order, an expression)."""
    if not loose or not all(row["is_plain"] for row in loose):
        return ""
    statements = []
    for row in loose:
        columns = [r["column"] for r in rows if r["index"] == row["index"] and r["column"] != table.column]
        statements += [
            f"drop index {row['index']};",
            f"create index {row['index']} on {table.name} ({', '.join([table.column or '', *columns])});",
        ]
    return "\n".join(statements)
