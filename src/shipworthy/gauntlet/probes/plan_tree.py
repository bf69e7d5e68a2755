"""A PostgreSQL plan as a tree: which tables were read, how, and how it reads as text.

Pure: takes what EXPLAIN (FORMAT JSON) says, knows no connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter", "Hash Cond", "Merge Cond", "Join Filter", "TID Cond")


@dataclass(frozen=True)
class PlanNode:
    """One node; `facts` are EXPLAIN's own words about it."""

    facts: dict[str, Any]
    children: tuple[PlanNode, ...]

    @property
    def kind(self) -> str:
        return str(self.facts["Node Type"])

    @property
    def table(self) -> str | None:
        """The table a scan reads."""
        return self.facts.get("Relation Name")

    @property
    def index(self) -> str | None:
        return self.facts.get("Index Name")

    @property
    def rows(self) -> int:
        """How many rows came out, over all loops."""
        return round(self.rows_a_loop * self._loops)

    @property
    def rows_thrown_away(self) -> int:
        """How many rows were looked at in vain, a loop."""
        reasons = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        return sum(int(self.facts.get(reason, 0)) for reason in reasons)

    @property
    def rows_read(self) -> int:
        """How many rows were looked at, those a filter threw away included."""
        return self.rows + self.rows_thrown_away * self._loops

    @property
    def rows_a_loop(self) -> float:
        return float(self.facts.get("Actual Rows", 0))

    @property
    def pages_a_loop(self) -> float:
        """How many pages were touched, a loop, in the cache or not."""
        pages = int(self.facts.get("Shared Hit Blocks", 0)) + int(self.facts.get("Shared Read Blocks", 0))
        return pages / max(self._loops, 1)

    @property
    def _loops(self) -> int:
        return int(self.facts.get("Actual Loops", 1))

    def walk(self) -> Iterator[PlanNode]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def scans(self) -> list[PlanNode]:
        """Return the nodes that read a table: not a Modify node, which only names one."""
        return [node for node in self.walk() if node.table and "Scan" in node.kind]

    def indexes(self) -> set[str]:
        return {node.index for node in self.walk() if node.index}

    def how(self, table: str) -> str:
        """Say how a table was reached instead, in words: "Seq Scan", "Index Scan using invoice_pkey"."""
        ways = [_way(node) for scan in self.scans() if scan.table == table for node in scan.walk()]
        return " and ".join(dict.fromkeys(ways)) or "not at all"

    def ways(self, table: str) -> set[str]:
        """Return the indexes a table is reached by, and "" where it is read without. That its pages need not be
        visited is the data's doing, not the plan's."""
        scans = [scan for scan in self.scans() if scan.table == table]
        return {index for scan in scans for index in (scan.indexes() or {""})}


def parse_plan(document: list[dict[str, Any]]) -> PlanNode:
    """Return the tree of one EXPLAIN (FORMAT JSON) answer."""
    return _node(document[0]["Plan"])


def plan_text(node: PlanNode, depth: int = 0) -> str:
    """Return a plan as psql would print it: one node a line, its conditions below."""
    arrow = "" if depth == 0 else "->  "
    lines = [f"{'      ' * depth}{arrow}{_headline(node)}"]
    lines += [f"{'      ' * depth}      {detail}" for detail in _details(node)]
    return "\n".join([*lines, *(plan_text(child, depth + 1) for child in node.children)])


def _node(facts: dict[str, Any]) -> PlanNode:
    children = tuple(_node(child) for child in facts.get("Plans", ()))
    return PlanNode({key: value for key, value in facts.items() if key != "Plans"}, children)


def _way(node: PlanNode) -> str:
    return f"{node.kind} using {node.index}" if node.index else node.kind


def _headline(node: PlanNode) -> str:
    facts = node.facts
    operation = f" {facts['Operation']}" if facts.get("Operation") else ""
    on = f" on {node.table}" if node.table else ""
    times = f" loops={facts['Actual Loops']}" if facts.get("Actual Loops", 1) != 1 else ""
    actual = f" (rows={facts['Actual Rows']}{times})" if "Actual Rows" in facts else ""
    return f"{_way(node)}{operation}{on} (cost={facts['Total Cost']}){actual}"


def _details(node: PlanNode) -> Iterator[str]:
    yield from (f"{name}: {node.facts[name]}" for name in _CONDITIONS if node.facts.get(name))
    if node.facts.get("Rows Removed by Filter"):
        yield f"Rows Removed by Filter: {node.facts['Rows Removed by Filter']}"
    if node.table and "Shared Hit Blocks" in node.facts:
        yield f"Buffers: hit={node.facts['Shared Hit Blocks']} read={node.facts['Shared Read Blocks']}"
