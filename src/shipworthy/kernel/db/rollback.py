"""The way back from a migration: what its down part takes away for good. Pure; reads SQL, runs none.

Knows statements by their first words, so what a function called there does is not seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipworthy.kernel.db.migrate import Migration

_NAME = r'(?:if\s+exists\s+)?(?:only\s+)?([\w."]+)'
# What loses data, with the words that name it; {0} is the table or the column.
_LOSES = (
    (re.compile(rf"^drop\s+table\s+{_NAME}", re.I), "the table {0} with its rows"),
    (re.compile(rf"^truncate\s+(?:table\s+)?{_NAME}", re.I), "every row of {0}"),
    (re.compile(rf"^delete\s+from\s+{_NAME}", re.I), "rows of {0}"),
    (re.compile(rf"^update\s+{_NAME}", re.I), "what stood in rows of {0}"),
)
_COLUMN = re.compile(r'\bdrop\s+column\s+(?:if\s+exists\s+)?([\w"]+)', re.I)
_ALTERED = re.compile(rf"^alter\s+table\s+{_NAME}", re.I)
_NOISE = re.compile(
    r"--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1|'(?:[^']|'')*'", re.S
)  # comments, bodies of functions, and texts


@dataclass(frozen=True)
class Way:
    """How one migration is taken back."""

    migration: Migration
    sql: str
    loses: tuple[str, ...]

    @property
    def when(self) -> str:
        """When the migration itself may run, in a sentence."""
        if self.migration.is_contract:
            return "contract: run it when no process of the previous release is left; no release goes back behind it"
        return "expand: run it before the new release; the previous one goes on working"


def way_back(migration: Migration) -> Way:
    """Return how a migration is taken back and what that loses."""
    sql = migration.down.read_text(encoding="utf-8")
    return Way(migration, sql, losses(sql))


def losses(sql: str) -> tuple[str, ...]:
    """Return what a script takes away, in words, each thing once and in its order.

    Example: losses("drop table note; alter table tag drop column hue") ==
             ("the table note with its rows", "the column tag.hue")
    """
    found: dict[str, None] = {}
    for statement in statements(sql):
        for pattern, words in _LOSES:
            if match := pattern.match(statement):
                found[words.format(match.group(1))] = None
        if table := _ALTERED.match(statement):
            for column in _COLUMN.finditer(statement):
                found[f"the column {table.group(1)}.{column.group(1)}"] = None
    return tuple(found)


def statements(sql: str) -> list[str]:
    """Return a script's statements without comments, texts and function bodies, on one line each."""
    bare = _NOISE.sub(lambda noise: "" if noise.group().startswith(("--", "/*")) else "''", sql)
    return [words for part in bare.split(";") if (words := " ".join(part.split()))]
