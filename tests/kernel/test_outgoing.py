"""Who of us opens connections to elsewhere: a list, and nobody besides.

Addresses that anybody but the operator may have named go through kernel/egress.py, which judges every address a name has
and follows no redirect (test_egress.py). The others go where the operator's settings say, and nowhere else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import shipworthy

PACKAGE = Path(shipworthy.__file__).parent
PARTS = ("kernel", "rooms")
# What can open a connection, by what is imported or called.
MODULES = {
    "aiohttp", "aiosmtplib", "asyncpg", "ftplib", "http.client", "httpx", "obstore", "pgqueuer", "requests", "smtplib", "socket",
    "ssl", "telnetlib", "urllib.request", "urllib3", "valkey", "websockets", "xmlrpc.client",
}  # fmt: skip
CALLS = {
    "open_connection",
    "create_connection",
    "create_datagram_endpoint",
    "open_unix_connection",
    "sock_connect",
}
# File -> what it opens, and who names where it goes.
KNOWN = {
    "kernel/egress.py": "the guard itself: whatever a document, a provider or a tenant may name",
    "kernel/db/migrate.py": "the database the operator names",
    "kernel/db/clone.py": "the database the operator names",
    "kernel/db/setup.py": "the database the operator names",
    "kernel/db/tx.py": "the database the operator names",
    "kernel/queue/claim.py": "the queue's own words; it opens nothing",
    "kernel/queue/worker.py": "the database the operator names",
    "kernel/seed.py": "the database the operator names",
    "kernel/edge/resolver.py": "the machine's own resolver, asked for names; it connects to none of them",
    "kernel/valkey.py": "the Valkey the operator names",
    "kernel/files/store.py": "the file store the operator names",
    "kernel/mail/outbox.py": "the mail server the operator names",
    "kernel/telemetry/export.py": "the collector the operator names; it follows no redirect",
    "rooms/site/domains/txt.py": "the resolver the operator or the machine names",
}
# Who asks others for addresses, all through the guard.
THROUGH_THE_GUARD = {
    "kernel/objectives/telling.py",
    "rooms/auth/oauth/installed.py",
    "rooms/invoicing/asking.py",
    "rooms/site/telling/post.py",
}


def opening(path: Path) -> Iterator[str]:
    """Yield what of a file can open a connection."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_one(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_one(node.module):
            yield node.module
        elif isinstance(node, ast.Attribute) and node.attr in CALLS:
            yield node.attr


def _is_one(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in MODULES)


def files() -> list[Path]:
    return [path for part in PARTS for path in sorted((PACKAGE / part).rglob("*.py"))]


def test_nobody_opens_a_connection_who_is_not_known_to() -> None:
    found = {path.relative_to(PACKAGE).as_posix(): sorted(set(opening(path))) for path in files()}
    assert {name: what for name, what in found.items() if what}.keys() == KNOWN.keys(), (
        "whoever goes elsewhere goes through kernel/egress.py, or stands in KNOWN with who names where it goes"
    )


def test_who_goes_through_the_guard_is_known() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in files()
        if "Egress(" in path.read_text(encoding="utf-8") and path.name != "egress.py"
    }
    assert users == THROUGH_THE_GUARD


def test_what_opens_a_connection_is_seen(tmp_path: Path) -> None:
    """The rule on code that breaks it."""
    file = tmp_path / "x.py"
    for code in (
        "import urllib.request",
        "from http.client import HTTPSConnection",
        "import socket",
        "async def f(): await asyncio.open_connection('a', 1)",
        "from valkey.asyncio import Valkey",
    ):
        file.write_text(code)
        assert list(opening(file)), code
    for code in (
        "import urllib.parse",
        "from urllib.parse import urlsplit",
        "import asyncio",
        "x = 'socket'",
    ):
        file.write_text(code)
        assert not list(opening(file)), code
