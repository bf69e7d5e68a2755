"""`make proof NAME=publishes`: three web processes, 1,000 random publishes: who still shows the old version, and how long.

Each publish goes to one of the processes at random and changes one of a few pages: another text, or another address.
From the moment it is answered all three are read over and over until each shows the new version; one that takes
longer than a second has served the old one for too long. In between the other pages are read, which nobody changed:
a version older than the last one seen is a step back.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.app import App, running_app
from benchmarks.report import Report, publish
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.local.ports import free_port

PUBLISHES, PAGES, FRESH_S = 1_000, 5, 1.0
_GIVE_UP_S = 20.0
_MOVES = 0.1  # of the publishes change the address as well
_BOUNDS = {
    "stale_after_1_s": "0 owed",
    "steps_back": "0 owed",
    "dead_addresses": "0 owed",
    "seen_everywhere_ms_max": "1,000 owed",
}


@dataclass
class Page:
    """A page of the proof: where it is, what it says, and where it was."""

    page_id: str
    path: str
    mark: str = ""


def main() -> int:
    """Publish and read; 1 when a process showed an old version for longer than a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishes", type=int, default=PUBLISHES)
    publishes = parser.parse_args().publishes
    with running_app(rooms="site", seed="demo") as app, two_more(app) as ports:
        proof = _Proof(app, [app.handle.base_url, *(f"http://127.0.0.1:{port}" for port in ports)])
        figures = asyncio.run(proof.run(publishes))
    enough = publishes >= PUBLISHES
    notes = [] if enough else [f"{publishes} publishes are fewer than the {PUBLISHES} owed"]
    publish(Report(name="proof-publishes", figures=figures, valid=enough, notes=notes), bounds=_BOUNDS)
    return int(any(figures[name] for name in ("stale_after_1_s", "steps_back", "dead_addresses")))


@contextmanager
def two_more(app: App) -> Iterator[list[int]]:
    """Run two more web processes of the app; yield their ports."""
    ports = [free_port(), free_port()]
    webs = [app.start("serve", "--port", str(port)) for port in ports]
    try:
        for port in ports:
            _until_healthy(port)
        yield ports
    finally:
        for web in webs:
            web.terminate()
        for web in webs:
            web.wait(timeout=30)


class _Proof:
    def __init__(self, app: App, urls: list[str]) -> None:
        self._app = app
        host = (app.handle.site_url or "").removeprefix("http://").partition(":")[0]
        self._people = [HttpSession(url) for url in urls]
        self._visitors = [HttpSession(f"http://{host}:{url.rpartition(':')[2]}") for url in urls]
        self._random = random.Random(1)
        self._pages: list[Page] = []
        self._left: list[str] = []
        self._seen_ms: list[float] = []
        self._steps_back = self._stale = 0

    async def run(self, publishes: int) -> dict[str, Any]:
        first = self._people[0]
        assert self._app.manifest.login is not None
        await sign_in(first, self._app.manifest.login, self._app.handle.tenants[0])
        for person in self._people[1:]:
            person.cookies.update(first.cookies)
        for n in range(PAGES):
            body = {"title": f"Proof {n}", "path": f"/proof-{n}", "in_menu": False}
            page = await self._send(first, "POST", "/api/pages", body)
            self._pages.append(Page(page["page_id"], f"/proof-{n}"))
        for n in range(publishes):
            await self._publish(n)
            await self._look_around()
        dead = [path for path in self._left if not await self._leads_on(path)]
        for session in (*self._people, *self._visitors):
            await session.close()
        cuts = statistics.quantiles(self._seen_ms, n=100)
        return {
            "publishes": publishes,
            "processes": len(self._visitors),
            "moves": len(self._left),
            "stale_after_1_s": self._stale,
            "steps_back": self._steps_back,
            "dead_addresses": len(dead),
            "seen_everywhere_ms_p50": round(cuts[49], 1),
            "seen_everywhere_ms_p99": round(cuts[98], 1),
            "seen_everywhere_ms_max": round(max(self._seen_ms), 1),
        }

    async def _publish(self, n: int) -> None:
        """Publish a page anew through one process, and read it in all until each has it."""
        page, person = self._random.choice(self._pages), self._random.choice(self._people)
        was_shown, page.mark = bool(page.mark), f"mark {n} of {uuid.uuid4().hex}"
        if was_shown and self._random.random() < _MOVES:
            self._left.append(page.path)
            page.path = f"/proof-{n}-moved"
        text = {"title": "Proof", "path": page.path, "body": page.mark, "in_menu": False}
        await self._send(person, "PUT", f"/api/pages/{page.page_id}", text)
        await self._send(person, "POST", f"/api/pages/{page.page_id}/publish")
        began = time.perf_counter()
        await asyncio.gather(*(self._until_seen(visitor, page) for visitor in self._visitors))
        took_s = time.perf_counter() - began
        self._seen_ms.append(took_s * 1000)
        self._stale += took_s > FRESH_S

    async def _until_seen(self, visitor: HttpSession, page: Page) -> None:
        deadline = time.perf_counter() + _GIVE_UP_S
        while page.mark not in (await visitor.get(page.path)).text:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{page.path} was not seen within {_GIVE_UP_S:g} s")

    async def _look_around(self) -> None:
        """Read a page that nobody is changing in every process: it still says what it said last."""
        page = self._random.choice(self._pages)
        if page.mark:
            answers = await asyncio.gather(*(visitor.get(page.path) for visitor in self._visitors))
            self._steps_back += sum(page.mark not in answer.text for answer in answers)

    async def _leads_on(self, path: str) -> bool:
        """Say whether an address that was left leads in one step to a page, in every process."""
        own = {page.path for page in self._pages}
        answers = await asyncio.gather(*(visitor.get(path) for visitor in self._visitors))
        return all(
            answer.status == 200
            or (answer.status == 301 and any(answer.header("location").endswith(p) for p in own))
            for answer in answers
        )

    async def _send(self, person: HttpSession, method: str, path: str, body: Any = None) -> Any:
        headers = {"idempotency-key": uuid.uuid4().hex, "if-match": "*"}
        answer = await person.request(method, path, json_body=body or {}, headers=headers)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text[:300]}")
        return answer.json


def _until_healthy(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("a web process did not answer within a minute")


if __name__ == "__main__":
    sys.exit(main())
