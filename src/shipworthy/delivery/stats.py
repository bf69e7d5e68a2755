"""Asking Envoy what it took and what is still under way. Looks only; knows no files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shipworthy.local.ports import LOOPBACK

_ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The versions of members and routes that are in force, the files it refused, and requests under way."""

    members: str
    routes: str
    refused: int
    active: dict[str, int]


async def ask(admin_port: int) -> Taken | None:
    """Return what Envoy says; None while it does not answer."""
    try:
        async with asyncio.timeout(_ASK_TIMEOUT_S):
            text = await _get(admin_port, "/stats")
    except (OSError, TimeoutError, ValueError):
        return None
    return _read(text)


def _read(text: str) -> Taken:
    members = routes = ""
    refused, active = 0, {}
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        if name == "cluster_manager.cds.version_text":
            members = value.strip('"')
        elif name.endswith(".version_text") and ".rds." in name:
            routes = value.strip('"')
        elif name.endswith(".update_rejected") and value.isdecimal():
            refused += int(value)
        elif name.startswith("cluster.") and name.endswith(".upstream_rq_active") and value.isdecimal():
            active[name.removeprefix("cluster.").removesuffix(".upstream_rq_active")] = int(value)
    return Taken(members=members, routes=routes, refused=refused, active=active)


async def _get(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise ValueError("Envoy's administration does not answer")
        body = await reader.read()
    except asyncio.IncompleteReadError as broken:
        raise ValueError("Envoy's administration broke off") from broken
    finally:
        writer.close()
    return body.decode("utf-8", "replace")
