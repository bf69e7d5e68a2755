"""Row security policies: what they say, and whether that keeps tenants apart.

The judgement is pure and works on what pg_get_expr prints, so it is the same for every way of
writing a policy. It recognises safe forms; what it does not recognise it does not trust.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_POLICIES = """
select p.polrelid as table_oid, p.polname as name, p.polpermissive as is_permissive, p.polcmd::text as command,
  case when p.polroles = '{0}' then array['public']
       else array(select pg_get_userbyid(r)::text from unnest(p.polroles) r) end as roles,
  pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as checking
from pg_policy p order by p.polname
"""
# Functions that read a setting, so that a policy may call one instead of current_setting itself.
_HELPERS = """
select p.proname as name, p.provolatile::text as volatility, p.prosrc as body
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname not in ('pg_catalog', 'information_schema') and p.prosrc like '%current_setting%'
"""
# Any of these lets a row through although its scope is another one.
_LOOPHOLES = (
    (re.compile(r"\bor\b"), "has an OR"),
    (re.compile(r"\bcoalesce\("), "falls back with COALESCE"),
    (re.compile(r"\bis null\b"), "lets IS NULL through"),
    (re.compile(r"~~|\bsimilar to\b"), "compares by pattern"),
    (re.compile(r"\bcase\b"), "has a CASE"),
    (re.compile(r"\bnot \("), "is negated"),
)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy of one table."""

    name: str
    is_permissive: bool
    command: str  # "*" all, "r" select, "a" insert, "w" update, "d" delete
    roles: tuple[str, ...]
    using: str | None
    checking: str | None

    @property
    def is_for_everybody(self) -> bool:
        return self.roles == ("public",) and self.command == "*"

    @property
    def expressions(self) -> list[str]:
        return [expression for expression in (self.using, self.checking) if expression is not None]

    def __str__(self) -> str:
        kind = "permissive" if self.is_permissive else "RESTRICTIVE"
        command = {"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}[self.command]
        checking = f" with check ({self.checking})" if self.checking is not None else ""
        using = f" using ({self.using})" if self.using is not None else ""
        return f"{self.name}: {kind} for {command} to {', '.join(self.roles)}{using}{checking}"


@dataclass(frozen=True, kw_only=True)
class ScopeRule:
    """What a policy must say to keep apart what `column` tells apart."""

    column: str
    setting: str
    helpers: Mapping[str, str]  # function that reads the setting -> its volatility (i, s, v)

    def fault(self, expression: str) -> str:
        """Return what is wrong with a policy expression; empty when it scopes rows."""
        text = " ".join(expression.lower().split())
        if text in ("true", "(true)"):
            return "is true for every row"
        for loophole, words in _LOOPHOLES:
            if loophole.search(text):
                return words
        column = rf'"?{re.escape(self.column.lower())}"?'
        compared = rf'(?<![\w"]){column}\)?(::\w+)? (?:= |in \(|= any)|= {column}(?!\w)'
        if not re.search(compared, text):
            return f"does not compare {self.column}"
        if f"current_setting('{self.setting.lower()}'" in text:
            return ""
        called = next((name for name in self.helpers if re.search(rf"\b{re.escape(name)}\(", text)), None)
        if called is None:
            return f"does not read {self.setting}"
        return (
            f"calls {called}(), which is VOLATILE and runs for each row"
            if self.helpers[called] == "v"
            else ""
        )

    def holds(self, policy: Policy) -> bool:
        return bool(policy.expressions) and not any(map(self.fault, policy.expressions))

    def faults(self, policies: Sequence[Policy]) -> list[str]:
        """Return what each unsound policy does wrong, in words."""
        told = [
            f"policy {policy.name} {fault}: {expression}"
            for policy in policies
            for expression in policy.expressions
            if (fault := self.fault(expression))
        ]
        return list(dict.fromkeys(told))  # reading and writing are often bound by the same words


async def policies_by_table(connection: Any) -> dict[int, list[Policy]]:
    """Return the policies of every table by its oid."""
    found: dict[int, list[Policy]] = {}
    for row in await connection.fetch(_POLICIES):
        policy = Policy(
            name=row["name"],
            is_permissive=row["is_permissive"],
            command=row["command"],
            roles=tuple(row["roles"]),
            using=row["using"],
            checking=row["checking"],
        )
        found.setdefault(row["table_oid"], []).append(policy)
    return found


async def helpers_of(connection: Any, setting: str) -> dict[str, str]:
    """Return the functions whose body reads `setting`, with their volatility."""
    rows = await connection.fetch(_HELPERS)
    return {row["name"].lower(): row["volatility"] for row in rows if setting in row["body"]}
