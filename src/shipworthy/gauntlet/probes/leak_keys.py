"""Keys are checked past row security: what they let through between tenants, and what they tell.

A foreign key without the scoping column lets a row point to another tenant's; a unique key without
it answers a clash, which says what another tenant has. Both are asked of the running database.
"""

from __future__ import annotations

from collections.abc import Mapping

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.probes.leak_scene import REFUSED, Scene, Step, attempt
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import TableFacts

_FOREIGN_KEY, _UNIQUE = "23503", "23505"
# The scoping column stays one's own; only the rest of a key is set to what a neighbour's row holds.
_FOREIGN_KEYS = """
select k.confrelid as target_oid, k.conname as name, u.own as columns, u.types, u.target as targets
from pg_constraint k cross join lateral (
  select array_agg(a.attname::text order by p.o) as own, array_agg(format_type(a.atttypid, a.atttypmod) order by p.o) as types,
    array_agg(t.attname::text order by p.o) as target,
    bool_and(has_column_privilege($2, k.conrelid, a.attnum, 'update')) as is_allowed
  from unnest(k.conkey, k.confkey) with ordinality p(own, target, o)
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.own
  join pg_attribute t on t.attrelid = k.confrelid and t.attnum = p.target
  where a.attname <> $3
) u
where k.contype = 'f' and k.conrelid = $1 and u.is_allowed
"""
# A row like another's, in one's own scope. What the database gives itself, and ids and tokens of keys
# that tell nothing, are new; a generated column cannot be given.
_INSERTED = """
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
  coalesce(bool_or(i.oid is not null and a.atttypid in ('uuid'::regtype, 'bytea'::regtype)), false) as is_random
from pg_attribute a
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_index x on x.indrelid = a.attrelid and x.indisunique and a.attnum = any(x.indkey)
  and not exists (select from pg_attribute s where s.attrelid = a.attrelid and s.attname = $3 and s.attnum = any(x.indkey))
left join pg_class i on i.oid = x.indexrelid
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
  and coalesce(pg_get_expr(d.adbin, d.adrelid), '') not like 'nextval(%'
  and has_column_privilege($2, a.attrelid, a.attnum, 'insert')
group by a.attname, a.attnum, a.atttypid, a.atttypmod order by a.attnum
"""
_FRESH = {"uuid": "gen_random_uuid()", "bytea": "decode(md5(random()::text), 'hex')"}


async def ask_keys(scene: Scene, tables: Mapping[int, TableFacts], telling: frozenset[str]) -> list[Step]:
    """Return what the keys of one table let through. `telling` are its unique keys a clash on which tells something."""
    if scene.table.kind not in ("r", "p") or not scene.foreign_rows:
        return []
    return [*await _point_abroad(scene, tables), *await _clash_abroad(scene, telling)]


async def _point_abroad(scene: Scene, tables: Mapping[int, TableFacts]) -> list[Step]:
    """Let a row of one's own point to a neighbour's."""
    if not (scene.own_rows and scene.rights["may_read"]):
        return []
    table, found = scene.table, []
    keys = await scene.admin.fetch(_FOREIGN_KEYS, table.oid, scene.database.acts_as, table.column)
    for key in keys:
        target = tables.get(key["target_oid"])
        if target is None or not target.is_scoped or target.scope != table.scope:
            continue
        if values := await _of_neighbour(scene, target, key["targets"]):
            sets = ", ".join(
                f"{quote(name)} = ${n}::text::{type_}"
                for n, (name, type_) in enumerate(zip(key["columns"], key["types"], strict=True), 1)
            )
            sql = f"update {table.quoted} set {sets} where ctid = (select ctid from {table.quoted} limit 1)"  # noqa: S608 - quoted names
            done = await attempt(scene, sql, *values, person=scene.mine)
            tried = f"let a row of its own point to another's {target.name} by {key['name']}"
            if done.rows:
                found.append(scene.step(tried, "it was accepted", "leaked", Severity.HIGH))
            elif done.code in (_FOREIGN_KEY, REFUSED):
                found.append(scene.step(tried, "refused: there is no such row in its own scope"))
    return found


async def _of_neighbour(scene: Scene, target: TableFacts, columns: list[str]) -> list[str] | None:
    """Return the key of one row of the neighbour's, as texts."""
    listed = ", ".join(f"{quote(name)}::text" for name in columns)
    sql = f"select {listed} from {target.quoted} where {quote(target.column or '')}::text = $1 limit 1"  # noqa: S608 - quoted names
    row = await scene.admin.fetchrow(sql, scene.foreign)
    return list(row) if row is not None and None not in list(row) else None


async def _clash_abroad(scene: Scene, telling: frozenset[str]) -> list[Step]:
    """Write what a neighbour has into one's own scope: a clash would tell that the neighbour has it."""
    made = await row_like(scene, of=scene.foreign, scope=scene.own) if scene.rights["may_insert"] else None
    if made is None:
        return []
    done = await attempt(scene, made[0], *made[1], person=scene.mine)
    tried = "write what another has into its own scope"
    if done.code == _UNIQUE and done.constraint in telling:
        saw = f"the unique key {done.constraint} clashed: the error tells that another has it"
        return [scene.step(tried, saw, "leaked", Severity.HIGH)]
    return [scene.step(tried, "no key tells that another has it")] if not done.code else []


async def row_like(scene: Scene, *, of: str, scope: str) -> tuple[str, list[str | None]] | None:
    """Return the INSERT of a row like one `of` somebody, in a `scope`, and its parameters; None without such a row."""
    table = scene.table
    columns = await scene.admin.fetch(_INSERTED, table.oid, scene.database.acts_as, table.column)
    names = [column["name"] for column in columns]
    if table.column not in names:
        return None
    listed = ", ".join(f"{quote(name)}::text" for name in names)
    row = await scene.admin.fetchrow(
        f"select {listed} from {table.quoted} where {scene.column}::text = $1 limit 1",  # noqa: S608 - quoted names
        of,
    )
    if row is None:
        return None
    given: list[str] = []
    values: list[str | None] = []
    for column, value in zip(columns, row, strict=True):
        name, type_ = column["name"], column["type"]
        if column["is_random"] and name != table.column:
            given.append(_FRESH[type_])
            continue
        values.append(scope if name == table.column else value)
        given.append(f"${len(values)}::text::{type_}")
    quoted = ", ".join(map(quote, names))
    return f"insert into {table.quoted} ({quoted}) values ({', '.join(given)})", values  # noqa: S608 - quoted names
