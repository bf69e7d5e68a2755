"""Diagrams as Mermaid, drawn from the manifest and the database's own catalogue, so that they cannot be older."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.contract.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column as the catalogue knows it; `refers_to` is the table its foreign key leads to."""

    table: str
    name: str
    type: str
    is_key: bool = False
    refers_to: str = ""


def context(manifest: Manifest) -> str:
    """Who and what the app talks to."""
    lines = [
        "flowchart LR",
        '  person(["people in a browser"])',
        f'  app["{_label(manifest.app)}"]',
        "  person --> app",
    ]
    if any(route.host == "site" for route in manifest.routes) or "site" in manifest.rooms:
        lines += ['  visitor(["visitors, search engines"])', "  visitor --> app"]
    if manifest.tokens:
        lines += ['  program(["programs, by access token"])', "  program --> app"]
    lines += ['  db[("PostgreSQL")]', '  files[("files")]', '  mail["mail server"]', "  app --> db", "  app --> files", "  app --> mail"]  # fmt: skip
    if manifest.oauth:
        lines += ['  oidc["sign-in providers"]', "  app --> oidc"]
    return _drawn(lines)


def data_flow(manifest: Manifest) -> str:
    """Where personal data comes in, by room, and in which tables it may lie."""
    lines = ["flowchart LR"]
    for room in manifest.rooms:
        fields = sorted({name for route in manifest.routes if route.room == room for name in route.personal})
        if fields:
            shown = ", ".join(fields[:6]) + (f" and {len(fields) - 6} more" if len(fields) > 6 else "")
            lines += [f'  in_{room}(["{_label(shown)}"]) --> {room}["{room}"]']
    lines += ["  subgraph kept", '    tenant[("tables of one tenant: row security by tenant_id")]', '    realm[("tables of the realm: people, sessions")]', "  end"]  # fmt: skip
    for room in manifest.rooms:
        lines.append(f"  {room} --> {'realm' if room == 'auth' else 'tenant'}")
    lines += [
        '  log["logs and traces: personal fields scrubbed"]',
        *(f"  {room} -.-> log" for room in manifest.rooms),
    ]
    return _drawn(lines)


def queues(manifest: Manifest) -> str:
    """What puts which job into the queue, and what the job writes."""
    lines = ["flowchart LR", '  queue[["queue in PostgreSQL"]]', '  worker["worker"]', "  queue --> worker"]
    for number, job in enumerate(manifest.jobs):
        lines.append(f'  job{number}["{_label(job.kind)}"] --> queue')
        if job.triggered_by:
            lines.append(f'  by{number}(["{_label(job.triggered_by)}"]) --> job{number}')
        if job.writes:
            lines.append(f'  worker --> table_{_word(job.writes)}[("{_label(job.writes)}")]')
    return _drawn(list(dict.fromkeys(lines)))


def schema(columns: Sequence[Column]) -> str:
    """Tables, keys and what refers to what, as the catalogue says it is now."""
    lines = ["erDiagram"]
    for table in dict.fromkeys(column.table for column in columns):
        lines.append(f"  {_word(table)} {{")
        for column in columns:
            if column.table == table:
                mark = " PK" if column.is_key else " FK" if column.refers_to else ""
                lines.append(f"    {_word(column.type)} {_word(column.name)}{mark}")
        lines.append("  }")
    edges = dict.fromkeys((c.refers_to, c.table) for c in columns if c.refers_to)
    lines += [f'  {_word(parent)} ||--o{{ {_word(child)} : ""' for parent, child in edges]
    return _drawn(lines)


def _drawn(lines: Sequence[str]) -> str:
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _label(text: str) -> str:
    return text.replace('"', "'").replace("\n", " ")


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text)
