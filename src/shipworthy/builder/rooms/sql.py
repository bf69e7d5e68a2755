"""The database of a new room: its table with row security, its queries, and rows to judge plans by."""

from __future__ import annotations

from shipworthy.builder.rooms.asked import Asked, Field

_ROW = "'00000000-0000-0000-0000-000000000000'::uuid"
_LAST_ROW = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"
_PER_QUERY = 26  # one more than a page holds


def up_sql(room: Asked) -> str:
    """Return the migration that makes the table, protected by both policies."""
    one = room.table
    columns = [f"  {_column(field)}," for field in room.fields]
    keys = [
        f"  foreign key (tenant_id, {f.column}) references {f.target.table},"
        for f in room.fields
        if f.target is not None
    ]
    include = f" include ({room.title.column})"
    indexes = [
        f"create index {one}_tenant_{room.newest_by}_idx on {one} (tenant_id, {room.newest_by} desc, {one}_id desc);",
        *(
            f"create index {one}_tenant_{f.column}_idx on {one} (tenant_id, {f.column});"
            for f in room.of("reference")
        ),
        *(
            f"create unique index {one}_{f.column}_key on {one} (tenant_id, {f.column}){'' if f.is_needed else f' where {f.column} <> {_QUOTES}'};"
            for f in room.unique
        ),
    ]
    lines = [
        f"-- {room.label}: one row is one entry of one tenant.",
        f"create table {one} (",
        "  tenant_id uuid not null default my_tenant(),",
        f"  {one}_id uuid not null,",
        *columns,
        "  created_at timestamptz not null,",
        f"  primary key (tenant_id, {one}_id){include}, -- lists of others look names up by id: from the index alone",
        *keys,
    ]
    last = len(lines) - 1
    lines[last] = lines[last].replace("),", ")", 1) if keys == [] else lines[last].removesuffix(",")
    return "\n".join(
        [
            *lines,
            ");",
            *indexes,
            f"select protect('{one}', 'tenant');",
            "-- Under row security the planner does not know the tenant and expects an average one; told to expect few",
            "-- tenants, it walks the index in order for each page, which is right for a large tenant and a small one.",
            f"alter table {one} alter column tenant_id set (n_distinct = 20);",
            f"revoke insert, update, delete on {one} from worker;",
            "",
        ]
    )


_QUOTES = "''"


def down_sql(room: Asked) -> str:
    return f"drop table {room.table};\n"


def _column(field: Field) -> str:
    said, name = field.section, field.column
    null = " not null" if field.is_needed else ""
    if field.kind == "text":
        bound = f"between 1 and {said.chars_max}" if field.is_needed else f"<= {said.chars_max}"
        default = "" if field.is_needed else " default ''"
        return f"{name} text not null{default} check (length({name}) {bound})"
    if field.kind == "choice":
        words = ", ".join(quoted(choice) for choice in (*said.choices, *([] if field.is_needed else [""])))
        default = "" if field.is_needed else " default ''"
        return f"{name} text not null{default} check ({name} in ({words}))"
    kinds = {"integer": "int", "money": "bigint", "date": "date", "time": "time", "reference": "uuid"}
    return f"{name} {kinds[field.kind]}{null}"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def queries_sql(room: Asked) -> str:
    """Return the room's `queries.sql`."""
    one, columns = room.table, [field.column for field in room.fields]
    shown = ", ".join([f"{one}_id", *(_shown(field, one) for field in room.fields), "created_at"])
    given = ", ".join(f"{f.column} = {_sample(f)}" for f in room.fields)
    mine = f"{one}_id = (select {one}_id from {one} limit 1)"
    parts = [
        f"""-- {one}_create --
-- A new entry.
-- index: none (insert)   rows: <= 0
-- with: {one}_id = gen_random_uuid(), {given}, now = now()
insert into {one} ({one}_id, {", ".join(columns)}, created_at)
values (:{one}_id, {", ".join(f":{name}" for name in columns)}, :now)
""",
        f"""-- {one}_edit --
-- Replace what is known of an entry.
-- index: {one}_pkey   rows: <= 1
-- with: {mine}, {given}
update {one} set {", ".join(f"{name} = :{name}" for name in columns)}
where {one}_id = :{one}_id
returning {one}_id
""",
        f"""-- {one}_delete --
-- Delete an entry.
-- index: {one}_pkey   rows: <= 1
-- with: {mine}
delete from {one} where {one}_id = :{one}_id
returning {one}_id
""",
        f"""-- {one}_get --
-- One entry.
-- index: {one}_pkey   rows: <= 1
-- with: {mine}
select {shown}
from {one} e where {one}_id = :{one}_id
""",
        *(_page(room, shown, is_back=is_back) for is_back in (False, True)),
        *(_taken(room, field) for field in room.unique),
        *(part for field in room.of("reference") for part in _referred(room, field)),
    ]
    return "\n".join(parts)


def _page(room: Asked, shown: str, *, is_back: bool) -> str:
    one, key = room.table, room.newest_by
    kind = "timestamptz" if key == "created_at" else "date"
    sign, order = (">", "") if is_back else ("<", " desc")
    start = "-infinity" if is_back else "infinity"
    purpose = (
        "The page of entries before a cursor, nearest first."
        if is_back
        else "Newest entries, a page from a cursor on; the page and the API both use it."
    )
    return f"""-- {one}_list{"_newer" if is_back else ""} --
-- {purpose}
-- index: {one}_tenant_{key}_idx   rows: <= {_PER_QUERY}
-- with: {key} = '{start}'::{kind}, {one}_id = {_ROW if is_back else _LAST_ROW}
select {shown}
from {one} e
where ({key}, {one}_id) {sign} (:{key}, :{one}_id)
order by {key}{order}, {one}_id{order} limit {_PER_QUERY}
"""


def _taken(room: Asked, field: Field) -> str:
    one, name = room.table, field.column
    where = f"{name} = :{name}" + ("" if field.is_needed else f" and {name} <> ''")
    return f"""-- {one}_{name}_taken --
-- Another entry with the same {field.label.lower()}.
-- index: {one}_{name}_key   rows: <= 1
-- with: {name} = 'Sample', {one}_id = {_ROW}
select {one}_id from {one} where {where} and {one}_id <> :{one}_id limit 1
"""


def _referred(room: Asked, field: Field) -> tuple[str, str]:
    assert field.target is not None
    one, target = room.table, field.target
    return (
        f"""-- {one}_{field.name}_known --
-- Whether there is what an entry is to refer to.
-- index: {target.table}_pkey   rows: <= 1
-- with: {target.id} = (select {target.id} from {target.table} limit 1)
select {target.id} from {target.table} where {target.id} = :{target.id}
""",
        f"""-- {one}_{field.name}_choices --
-- What the form offers to choose from.
-- index: {target.index}   rows: <= 200
select {target.id} as id, {target.name} as name from {target.table} order by {target.order} limit 200
""",
    )


def _shown(field: Field, one: str) -> str:
    if field.target is None:
        return field.column
    target = field.target
    return (
        f"{field.column},\n  (select r.{target.name} from {target.table} r where r.tenant_id = e.tenant_id"
        f" and r.{target.id} = e.{field.column}) as {field.name}_name"
    )


def _sample(field: Field) -> str:
    if field.target is not None:
        return f"(select {field.target.id} from {field.target.table} limit 1)"
    if field.kind == "choice":
        return quoted(field.section.choices[0])
    samples = {
        "text": "'Sample'",
        "integer": "1",
        "money": "1",
        "date": "current_date",
        "time": "'12:00'::time",
    }
    return samples[field.kind]


def volume_sql(room: Asked) -> str:
    """Return what fills one tenant for plan checks."""
    one = room.table
    referred = [
        f"""  (select array_agg({f.target.id}) from (select {f.target.id} from {f.target.table}
    where tenant_id = my_tenant() order by {f.target.id} limit 50) as few) as {f.name}_ids"""
        for f in room.fields
        if f.target
    ]
    from_others = ",\nlateral (select\n" + ",\n".join(referred) + "\n) as others" if referred else ""
    columns = ", ".join(field.column for field in room.fields)
    values = ",\n  ".join(_volume(field) for field in room.fields)
    return f"""-- Fills one tenant for plan checks with volume.rows entries. Runs as the superuser, past row security.
insert into {one} ({one}_id, {columns}, created_at)
select md5(my_tenant()::text || '/{one}/' || n)::uuid,
  {values},
  now() - make_interval(hours => n)
from generate_series(1, current_setting('volume.rows')::int) as n{from_others};
"""


def _volume(field: Field) -> str:
    said = field.section
    if field.kind == "text":
        return (
            f"left({quoted(field.label + ' ')} || n, {said.chars_max})"
            if not said.unique
            else f"right('volume' || n, {said.chars_max})"
        )
    if field.kind == "choice":
        return f"(array[{', '.join(quoted(c) for c in said.choices)}])[1 + n % {len(said.choices)}]"
    if field.kind == "reference":
        return f"{field.name}_ids[1 + n % cardinality({field.name}_ids)]"
    return {
        "integer": "n",
        "money": "n * 100",
        "date": "current_date - n % 730",
        "time": "make_time(n % 24, n % 60, 0)",
    }[field.kind]
