"""The process of the proxies. Obeys on standard input; when that ends, it turns plain.

The app still needs its database when the examiner is gone: without toxics the proxies go on for
as long as the processes live that they were told to wait for.
"""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import uvloop

from shipworthy.contract.strict import decode
from shipworthy.gauntlet.companion import obey
from shipworthy.gauntlet.processid import ProcessId, process_id
from shipworthy.gauntlet.proxy.front import Front, fixed, told_by
from shipworthy.gauntlet.proxy.toxic import Toxic

_LOOK_S = 0.5  # how often it is looked whether anybody still needs the proxies


class _Fronts:
    """Carries out what the examiner asks for."""

    def __init__(self) -> None:
        self._fronts: dict[str, Front] = {}
        self._needed_by: list[ProcessId] = []

    async def carry_out(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["do"] == "open":
            return self._open(asked)
        if asked["do"] == "serve":
            self._needed_by += [found for pid in asked["pids"] if (found := process_id(pid))]
            return {}
        return self._of_front(self._fronts[asked["name"]], asked)

    def _of_front(self, front: Front, asked: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        match asked["do"]:
            case "aim":
                front.aim(fixed(asked["upstream"]) if asked["upstream"] else front.opened_before)
            case "add":
                toxic = decode(Toxic, asked["toxic"], source="the toxic")
                answer = {"toxic": front.add(toxic, lease_s=asked["lease_s"])}
            case "remove":
                front.remove(asked["toxic"])
            case "clear":
                front.clear()
            case "state":
                answer = {
                    "toxics": list(front.toxics),
                    "connections": front.connections,
                    "accepted": front.accepted,
                    "unreached": front.unreached,
                }
            case unknown:
                raise ValueError(f"a proxy cannot {unknown}")
        return answer

    def clear(self) -> None:
        for front in self._fronts.values():
            front.clear()

    @property
    def is_needed(self) -> bool:
        return any(process.is_alive for process in self._needed_by)

    def _open(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["name"]
        if name in self._fronts:
            raise ValueError(f"there is a proxy {name} already")
        told = asked.get("told_by")
        upstream = told_by(Path(told), name) if told else fixed(asked["upstream"])
        front = self._fronts[name] = Front(upstream)
        return {"port": front.port}


async def _serve() -> None:
    fronts = _Fronts()
    await obey(fronts.carry_out)
    fronts.clear()
    while fronts.is_needed:  # noqa: ASYNC110 - whether a process lives can only be asked
        await asyncio.sleep(_LOOK_S)


def _raise_file_limit() -> None:
    """Two sockets a connection: allow as many as this user may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65_536, hard))


if __name__ == "__main__":
    _raise_file_limit()
    uvloop.run(_serve())
