"""Names: which words are taken by SQL and by the code that is written, and how a name reads for people."""

from __future__ import annotations

import re

NAME_CHARS_MAX = 40  # PostgreSQL cuts names at 63, and ours carry a prefix and an ending
LABEL_RULE = 'a label is at most 80 printable characters, without { } " \\ % and $'
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NO_LABEL = frozenset('{}"\\%$')  # they mean something in texts of code, templates and translations
# Words that PostgreSQL reserves (its manual, appendix C; version 18).
SQL_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check
collate collation column concurrently constraint create cross current_catalog current_date
current_role current_schema current_time current_timestamp current_user default deferrable desc
distinct do else end except false fetch for foreign freeze from full grant group having ilike in
initially inner intersect into is isnull join lateral leading left like limit localtime
localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
references returning right select session_user similar some symmetric system_user table tablesample
then to trailing true union unique user using variadic verbose when where window with
        """,
    )
)
# Words that mean something in the tables and in the code of a room.
CODE_WORDS = frozenset(
    {
        *("tenant_id", "realm_id", "created_at", "cursor", "id", "self", "cls", "now", "key", "n"),
        *("date", "time", "str", "int", "list", "dict", "type", "uuid", "set", "bool", "q", "mark"),
    }
)


def is_name(word: str) -> bool:
    """Say whether a word can be a room, a field, a table."""
    return len(word) <= NAME_CHARS_MAX and _NAME.fullmatch(word) is not None


def is_label(word: str) -> bool:
    """Say whether a text can be a label, as it is, in code, templates and translations."""
    return word.isprintable() and word.strip() == word and len(word) <= 80 and not set(word) & _NO_LABEL


def singular(name: str) -> str:
    """Return what one of them is called, as English mostly does it: `bookings` is `booking`, `entries` is `entry`."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if re.search(r"(ss|x|z|ch|sh)es$", name):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else f"{name}_entry"


def words_of(name: str) -> str:
    """Return a name as people read it: `starts_on` is `Starts on`."""
    return name.replace("_", " ").capitalize()
