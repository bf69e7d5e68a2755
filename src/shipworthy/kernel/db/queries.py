"""Named queries: every statement of a room in one `queries.sql`, each with a purpose and a bound.

    -- invoice_list_by_status --
    -- Newest invoices of the tenant in one status; the list screen and the API both use it.
    -- index: invoice_tenant_status_issued_idx   rows: <= 50
    -- with: status = 'open', before = null::date, page_rows = 26
    select ... where status = :status ...

`with:` gives one SQL expression per parameter, evaluated in a tenant's own scope; the
examiner uses them to EXPLAIN the query as the app's role. `scope: realm` and `role: worker`
may stand beside `index:`. `index: none` says that no index is expected, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from shipworthy.kernel.source import source_of

_HEADER = re.compile(r"^-- ([a-z][a-z0-9_]*) --$")
_FACT = re.compile(r"(index|rows|scope|role|with):\s*(.*?)(?=\s+(?:index|rows|scope|role):|$)")
_PARAMETER = re.compile(r"'(?:[^']|'')*'|--[^\n]*|::|:([a-z][a-z0-9_]*)")
_WRITES = re.compile(r"\b(insert\s+into|update|delete\s+from)\s+\w", re.IGNORECASE)


@dataclass(frozen=True)
class NamedQuery:
    """One statement. `sql` carries the query's name as a comment, so that every log and every
    statement statistic of the database names it."""

    room: str
    name: str
    purpose: str
    sql: str
    parameters: tuple[str, ...]
    samples: tuple[str, ...]
    index: tuple[str, ...]
    rows_max: int | None
    role: str
    scope: str
    writes: bool
    source: str

    @property
    def full_name(self) -> str:
        return f"{self.room}.{self.name}"

    def arguments(self, given: dict[str, object]) -> list[object]:
        """Order named values as $1..$n. Errors: TypeError on a missing or unknown name."""
        try:
            values = [given[name] for name in self.parameters]
        except KeyError as missing:
            raise TypeError(f"{self.full_name} needs {missing}") from None
        if len(given) != len(values):
            unknown = ", ".join(sorted(set(given) - set(self.parameters)))
            raise TypeError(f"{self.full_name} does not take {unknown}")
        return values


class BadQueryFile(ValueError):
    """A `queries.sql` breaks the format; the message names file, line and what is missing."""


class Catalogue:
    """The queries of one room, by attribute: `q.invoice_list_by_status`."""

    def __init__(self, queries: dict[str, NamedQuery]) -> None:
        self._queries = queries

    def __getattr__(self, name: str) -> NamedQuery:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"no query named {name!r} in this catalogue") from None

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._queries.values())

    def __len__(self) -> int:
        return len(self._queries)


def load_queries(path: Path, *, room: str) -> Catalogue:
    """Read a `queries.sql`.

    Errors:  BadQueryFile with file and line when a query lacks its purpose, index, row bound
             or a sample for one of its parameters.
    """
    queries: dict[str, NamedQuery] = {}
    for name, line, block in _blocks(path):
        if name in queries:
            raise BadQueryFile(f"{path.name}:{line}: query {name!r} stands twice")
        queries[name] = _parse(room, name, line, block, path)
    return Catalogue(queries)


def _blocks(path: Path) -> list[tuple[str, int, list[str]]]:
    blocks: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if header := _HEADER.match(line):
            blocks.append((header.group(1), number, []))
        elif blocks:
            blocks[-1][2].append(line)
    return blocks


def _parse(room: str, name: str, line: int, block: list[str], path: Path) -> NamedQuery:
    comments = []
    for text in block:
        if not text.startswith("--"):
            break
        comments.append(text.removeprefix("--").strip())
    body = "\n".join(block[len(comments) :]).strip().rstrip(";")
    facts: dict[str, str] = {}
    purpose = []
    for comment in comments:
        found = dict(_FACT.findall(comment)) if re.match(r"(index|rows|scope|role|with):", comment) else {}
        if found:
            if "with" in found and "with" in facts:
                found["with"] = facts["with"] + ", " + found["with"]
            facts.update(found)
        else:
            purpose.append(comment)
    where = f"{path.name}:{line}: query {name!r}"
    if not purpose:
        raise BadQueryFile(f"{where} says no purpose; add a comment line under its name")
    if "index" not in facts:
        raise BadQueryFile(f"{where} names no index; add '-- index: NAME   rows: <= N'")
    rows = re.match(r"<=\s*(\d+)", facts.get("rows", ""))
    if not rows:
        raise BadQueryFile(f"{where} has no row bound; add 'rows: <= N' beside its index")
    sql, parameters = _numbered(body)
    samples = _samples(facts.get("with", ""))
    for parameter in parameters:
        if parameter not in samples:
            raise BadQueryFile(
                f"{where} has no sample for :{parameter}; add it to '-- with: {parameter} = …'"
            )
    declared = facts["index"].strip()
    index = () if declared.startswith("none") else tuple(i.strip() for i in declared.split(","))
    return NamedQuery(
        room=room,
        name=name,
        purpose=" ".join(purpose),
        sql=_labelled(sql, f"{room}.{name}"),
        parameters=parameters,
        samples=tuple(samples[p] for p in parameters),
        index=index,
        rows_max=int(rows.group(1)),
        role=facts.get("role", "app").strip(),
        scope=facts.get("scope", "tenant").strip(),
        writes=bool(_WRITES.search(re.sub(r"for (no key )?update", "", sql, flags=re.IGNORECASE))),
        source=f"{source_of(path)}:{line}",
    )


def _numbered(body: str) -> tuple[str, tuple[str, ...]]:
    """Turn :name into $n, leaving strings, comments and ::casts alone."""
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        parameter = match.group(1)
        if parameter is None:
            return match.group(0)
        if parameter not in order:
            order.append(parameter)
        return f"${order.index(parameter) + 1}"

    return _PARAMETER.sub(number, body), tuple(order)


def _samples(text: str) -> dict[str, str]:
    """Split `a = 1, b = f(x, y)` at top-level commas."""
    parts, depth, current, quoted = [], 0, "", False
    for char in text:
        quoted ^= char == "'"
        depth += 0 if quoted else (char in "([") - (char in ")]")
        if char == "," and depth == 0 and not quoted:
            parts.append(current)
            current = ""
        else:
            current += char
    parts.append(current)
    pairs = (part.split("=", 1) for part in parts if "=" in part)
    return {name.strip(): expression.strip() for name, expression in pairs}


def _labelled(sql: str, label: str) -> str:
    """Put the name behind the first keyword: in front of it PostgreSQL may cut it off."""
    return re.sub(r"^(\s*\w+)", rf"\1 /* {label} */", sql, count=1)
