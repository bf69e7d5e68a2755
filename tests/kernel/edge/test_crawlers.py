"""Who says they are a crawler is verified, unverified or somebody else; and never refused for it. Covers: resolver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipworthy.kernel.edge.crawlers import KEPT_S, RETRY_S, Crawlers, Standing, crawler_said, read_ranges
from shipworthy.kernel.edge.resolver import SystemResolver

GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
THEIRS, OTHERS = "66.249.66.1", "203.0.114.9"


@dataclass
class Dns:
    """A DNS that says what a test wants, and counts."""

    names: dict[str, list[str]] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    failure: Exception | None = None
    asked: int = 0

    async def names_of(self, address: str) -> Sequence[str]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.names.get(address, [])

    async def addresses_of(self, name: str) -> Sequence[str]:
        return self.addresses.get(name, [])


def google() -> Dns:
    name = "crawl-66-249-66-1.googlebot.com"
    return Dns({THEIRS: [f"{name}."], OTHERS: [name]}, {name: [THEIRS]})


@dataclass
class Clock:
    at_s: float = 0.0

    def __call__(self) -> float:
        return self.at_s


async def found(crawlers: Crawlers, client: str, user_agent: str = GOOGLE) -> list[Standing]:
    """What is said at once, and what is known once DNS has answered."""
    first = crawlers.standing(user_agent, client)
    await crawlers.settled()
    return [first, crawlers.standing(user_agent, client)]


async def test_a_name_that_leads_back_verifies_and_is_kept_for_a_day() -> None:
    dns, clock = google(), Clock()
    crawlers = Crawlers(resolver=dns, clock=clock)
    assert await found(crawlers, THEIRS) == [Standing.UNVERIFIED, Standing.VERIFIED]
    assert await found(crawlers, f"::ffff:{THEIRS}", BROWSER) == [Standing.NONE] * 2
    clock.at_s = KEPT_S - 1
    assert await found(crawlers, THEIRS) == [Standing.VERIFIED] * 2 and dns.asked == 1
    clock.at_s = KEPT_S + 1
    assert await found(crawlers, THEIRS) == [Standing.VERIFIED] * 2 and dns.asked == 2


@pytest.mark.parametrize(
    "names",
    [
        ["crawl-66-249-66-1.googlebot.com"],
        ["googlebot.com.evil.example"],
        ["evilgooglebot.com"],
        ["googlebot.com"],
        [],
    ],
)
async def test_a_name_that_lies_is_spoofed(names: list[str]) -> None:
    dns = Dns({OTHERS: names}, {"crawl-66-249-66-1.googlebot.com": [THEIRS], "evilgooglebot.com": [OTHERS]})
    assert await found(Crawlers(resolver=dns, clock=Clock()), OTHERS) == [
        Standing.UNVERIFIED,
        Standing.SPOOFED,
    ]


@pytest.mark.parametrize("failure", [TimeoutError(), OSError("no DNS"), UnicodeError("odd")])
async def test_a_dns_that_is_slow_or_away_leaves_it_unverified_and_is_asked_again(failure: Exception) -> None:
    dns, clock = google(), Clock()
    dns.failure = failure
    crawlers = Crawlers(resolver=dns, clock=clock)
    assert await found(crawlers, THEIRS) == [Standing.UNVERIFIED] * 2
    dns.failure = None
    assert await found(crawlers, THEIRS) == [Standing.UNVERIFIED] * 2
    clock.at_s = RETRY_S + 1
    assert await found(crawlers, THEIRS) == [Standing.UNVERIFIED, Standing.VERIFIED]


async def test_a_flood_of_crawlers_asks_dns_a_bounded_number_of_times_at_once() -> None:
    dns = Dns()
    crawlers = Crawlers(resolver=dns, clock=Clock())
    for n in range(500):
        assert crawlers.standing(GOOGLE, f"203.0.{114 + n // 250}.{n % 250}") is Standing.UNVERIFIED
    await asyncio.sleep(0)
    assert dns.asked <= 32
    await crawlers.close()


async def test_published_ranges_verify_without_dns_and_a_broken_list_is_left_out(tmp_path: Path) -> None:
    prefixes = [{"ipv4Prefix": "66.249.66.0/27"}, {"ipv6Prefix": "2001:4860:4801:10::/64"}]
    (tmp_path / "google-special.json").write_text(json.dumps({"prefixes": prefixes}))
    (tmp_path / "bing.json").write_text("{")
    (tmp_path / "apple.json").write_text('{"prefixes": [{"ipv4Prefix": "nowhere"}]}')
    ranges = read_ranges(tmp_path)
    assert set(ranges) == {"google"}
    dns = Dns()
    crawlers = Crawlers(resolver=dns, clock=Clock(), ranges=ranges)
    assert crawlers.standing(GOOGLE, THEIRS) is Standing.VERIFIED
    assert crawlers.standing(GOOGLE, "2001:4860:4801:10::7") is Standing.VERIFIED
    assert dns.asked == 0
    assert await found(crawlers, "66.249.66.200") == [Standing.UNVERIFIED, Standing.SPOOFED]


async def test_this_network_and_what_is_no_address_is_not_asked_about() -> None:
    dns = google()
    crawlers = Crawlers(resolver=dns, clock=Clock())
    for client in ("10.0.0.1", "127.0.0.1", "", "unix"):
        assert await found(crawlers, client) == [Standing.UNVERIFIED] * 2
    assert dns.asked == 0
    assert crawlers.standing("SomeNewBot/1.0", OTHERS) is Standing.UNVERIFIED


def test_crawlers_are_known_by_their_names() -> None:
    said = crawler_said(GOOGLE)
    assert said is not None and said.name == "google"
    assert crawler_said(BROWSER) is None


async def test_the_machines_resolver_answers_and_fails_as_promised() -> None:
    resolver = SystemResolver()
    try:
        assert "127.0.0.1" in await resolver.addresses_of("localhost")
        assert await resolver.names_of("no address") == []
    finally:
        resolver.close()
