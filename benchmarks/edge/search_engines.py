"""Every search engine of the list, asking a website as it does: verified, not to be verified, with a DNS that lies or is
slow, and faster than anybody may. None may hear that it is shut out; more than we serve is 503 with Retry-After."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.app import RunningApp

from benchmarks.edge.corpora import DATA
from shipworthy.kernel.edge.crawlers import CRAWLERS, Crawlers

HOST = "acme.localhost"
PATHS = ("/", "/robots.txt", "/sitemap.xml", "/no-such-page")
_SHUT_OUT = (401, 403, 429)
_AT_ONCE = 400  # of one that asks as fast as it can: past the burst of [edge] page_requests


@dataclass
class Dns:
    """A DNS of one mood."""

    mood: str

    async def names_of(self, address: str) -> Sequence[str]:
        if self.mood == "slow":
            raise TimeoutError
        if self.mood == "liar":
            return ["crawl-66-249-66-1.googlebot.com"]
        return [
            f"crawler-{address.replace('.', '-')}.{domain}" for one in CRAWLERS for domain in one.domains[:1]
        ]

    async def addresses_of(self, name: str) -> Sequence[str]:
        return (
            ["66.249.66.1"]
            if self.mood == "liar"
            else [name.partition(".")[0].removeprefix("crawler-").replace("-", ".")]
        )


def agents() -> list[str]:
    """Return the user agents of search engines."""
    path = DATA / "crawler-user-agents" / "crawler-user-agents.json"
    if not path.is_file():
        return []
    said = json.loads(path.read_text(encoding="utf-8"))
    return [agent for one in said if "search-engine" in one.get("tags", ()) for agent in one["instances"]]


async def shut_out(app: RunningApp, names: Sequence[str]) -> tuple[int, int, list[str]]:
    """Return how many user agents were shut out, how many requests were made, and which of them."""
    parts: Any = app.runtime.edge
    kept, asked, blocked = parts.crawlers, 0, set()
    try:
        for mood_nth, mood in enumerate(("true", "liar", "slow")):
            crawlers = Crawlers(resolver=Dns(mood), clock=lambda: 0.0)
            object.__setattr__(parts, "crawlers", crawlers)
            for nth, agent in enumerate(names):
                client = app.client(HOST, address=f"{60 + mood_nth}.{nth // 250 + 1}.{nth % 250}.7")
                headers = {"user-agent": agent.encode("latin-1", "replace").decode("latin-1")}
                for path in PATHS:
                    answer = await client.get(path, headers=headers)
                    asked += 1
                    if answer.status in _SHUT_OUT or b"data-challenge" in answer.body:
                        blocked.add(agent)
                await crawlers.settled()
            for nth in range(_AT_ONCE):
                client = app.client(HOST, address=f"{60 + mood_nth}.250.1.7")
                answer = await client.get(f"/missing-{nth}", headers={"user-agent": names[1]})
                asked += 1
                if answer.status in _SHUT_OUT or (
                    answer.status == 503 and answer.header("retry-after") is None
                ):
                    blocked.add(names[1])
    finally:
        object.__setattr__(parts, "crawlers", kept)
    return len(blocked), asked, sorted(blocked)
