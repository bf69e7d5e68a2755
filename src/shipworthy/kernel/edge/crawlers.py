"""Which crawler somebody says they are, and whether they are: by published ranges, else by DNS both ways.

A name in a header is worth nothing; an address that its owner names, and whose name leads back to it, cannot be had by
others. A crawler whose name cannot be verified now (a DNS that is slow, away or lying) is *unverified*: it has everybody's
limits, and is never refused for what it says it is. Nothing here waits: who asks has an answer now, DNS is asked behind.
Source:  Google, "Verify requests from Google crawlers"; Bing, Apple and Yandex say the same of theirs.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from shipworthy.kernel.telemetry.log import log

KEPT_S = 24 * 3600.0  # what DNS said clearly
RETRY_S = 300.0  # what DNS could not say
DNS_TIMEOUT_S = 3.0
_ENTRIES_MAX = 10_000
_ASKING_MAX = 32  # at the same time: a flood of made-up crawlers does not become a flood of questions
_NAMES_MAX = 4


class Standing(StrEnum):
    """What we know of somebody who says they are a crawler."""

    NONE = "none"  # they say no such thing
    VERIFIED = "verified"
    UNVERIFIED = "unverified"  # not yet, or not to be found out
    SPOOFED = "spoofed"  # their address is clearly somebody else's


@dataclass(frozen=True, slots=True)
class Crawler:
    """One crawler: what its user agents hold, and the domains its addresses are named in (none: ranges only)."""

    name: str
    says: str
    domains: tuple[str, ...]


CRAWLERS = (
    Crawler("google", r"googlebot|google-inspectiontool|storebot-google|googleother|apis-google|adsbot-google|mediapartners-google|google-read-aloud|google-site-verification", ("googlebot.com", "google.com", "googleusercontent.com")),
    Crawler("bing", r"bingbot|msnbot|adidxbot|bingpreview", ("search.msn.com",)),
    Crawler("apple", r"applebot", ("applebot.apple.com",)),
    Crawler("duckduckgo", r"duckduckbot|duckassistbot|duckduckgo-favicons-bot", ("duckduckgo.com",)),
    Crawler("yandex", r"yandex(?:bot|images|\w{0,30}bot)|yandex\.com/bots", ("yandex.ru", "yandex.net", "yandex.com")),
    Crawler("baidu", r"baiduspider", ("baidu.com", "baidu.jp")),
    Crawler("yahoo", r"\bslurp\b|y!j", ("crawl.yahoo.net", "yahoo.co.jp")),
    Crawler("seznam", r"seznambot|seznamhomepagecrawler", ("seznam.cz",)),
    Crawler("naver", r"\byeti/|naverbot", ("naver.com",)),
    Crawler("qwant", r"qwantify|qwantbot|qwantcompanyurlfetch", ("qwant.com",)),
    Crawler("petal", r"petalbot|aspiegelbot", ("petalsearch.com", "aspiegel.com")),
    Crawler("mojeek", r"mojeekbot", ("mojeek.com",)),
    Crawler("sogou", r"sogou", ("sogou.com",)),
    Crawler("coccoc", r"coccocbot", ("coccoc.com",)),
    Crawler("mailru", r"mail\.ru_bot", ("mail.ru",)),
    Crawler("amazon", r"amazonbot", ("crawl.amazonbot.amazon",)),
    Crawler("openai", r"oai-searchbot|chatgpt-user|gptbot", ()),
    Crawler("perplexity", r"perplexitybot|perplexity-user", ()),
)  # fmt: skip
_SAYS = [(crawler, re.compile(crawler.says)) for crawler in CRAWLERS]
# Whatever else says it crawls: told 503 and not 429, so that a search engine we do not know loses no page either.
_ANY = re.compile(r"bot\b|crawl|spider|slurp|search|indexer|seekport|nutch", re.IGNORECASE)


class Resolver(Protocol):
    """How names are looked up. Errors: OSError, TimeoutError for what could not be found out."""

    async def names_of(self, address: str) -> Sequence[str]:
        """Return the names of an address; none where there are clearly none."""
        ...

    async def addresses_of(self, name: str) -> Sequence[str]:
        """Return the addresses of a name; none where there are clearly none."""
        ...


Range = ipaddress.IPv4Network | ipaddress.IPv6Network


class Crawlers:
    """What one process has found out."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        clock: Callable[[], float],
        ranges: dict[str, list[Range]] | None = None,
        on_spoofed: Callable[[str, str, str], None] = lambda _crawler, _client, _request_id: None,
    ) -> None:
        self._resolver, self._clock = resolver, clock
        self._ranges = ranges or {}
        self._on_spoofed = on_spoofed
        self._known: OrderedDict[tuple[str, str], tuple[Standing, float]] = OrderedDict()
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}

    def standing(self, user_agent: str, client: str, *, request_id: str = "") -> Standing:
        """Return what is known now. Cost: 0.2 us for a browser, 2 us for a crawler that is known."""
        crawler, is_any = _said(user_agent)
        if crawler is None:
            return Standing.UNVERIFIED if is_any else Standing.NONE
        key = (crawler.name, client)
        known = self._known.get(key)
        if known is not None and known[1] > self._clock():
            return known[0]
        if self._in_range(crawler, client):
            self._keep(key, Standing.VERIFIED, KEPT_S)
            return Standing.VERIFIED
        self._ask(crawler, client, key, request_id)
        # What was true yesterday is the best there is until DNS has answered again.
        return known[0] if known is not None else Standing.UNVERIFIED

    async def settled(self) -> None:
        """Return when nothing is asked any more."""
        while self._asking:
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def _in_range(self, crawler: Crawler, client: str) -> bool:
        ranges = self._ranges.get(crawler.name)
        address = _address(client)
        return bool(ranges) and address is not None and any(address in one for one in ranges or ())

    def _ask(self, crawler: Crawler, client: str, key: tuple[str, str], request_id: str) -> None:
        address = _address(client)
        if not crawler.domains or address is None or not address.is_global:
            self._keep(key, Standing.UNVERIFIED, RETRY_S)
        elif key not in self._asking and len(self._asking) < _ASKING_MAX:
            asking = self._find_out(crawler, client, key, request_id)
            self._asking[key] = asyncio.get_running_loop().create_task(asking)

    async def _find_out(self, crawler: Crawler, client: str, key: tuple[str, str], request_id: str) -> None:
        try:
            async with asyncio.timeout(DNS_TIMEOUT_S):
                is_theirs = await self._leads_back(crawler, client)
            self._keep(key, Standing.VERIFIED if is_theirs else Standing.SPOOFED, KEPT_S)
            if not is_theirs:
                self._on_spoofed(crawler.name, client, request_id)
        except (OSError, TimeoutError, UnicodeError):
            self._keep(key, Standing.UNVERIFIED, RETRY_S)
        finally:
            self._asking.pop(key, None)

    async def _leads_back(self, crawler: Crawler, client: str) -> bool:
        wanted = _address(client)
        names = [name.rstrip(".").lower() for name in await self._resolver.names_of(client)]
        theirs = [name for name in names if any(name.endswith(f".{domain}") for domain in crawler.domains)]
        for name in theirs[:_NAMES_MAX]:
            if wanted in [_address(found) for found in await self._resolver.addresses_of(name)]:
                return True
        return False

    def _keep(self, key: tuple[str, str], standing: Standing, for_s: float) -> None:
        self._known[key] = (standing, self._clock() + for_s)
        self._known.move_to_end(key)
        while len(self._known) > _ENTRIES_MAX:
            self._known.popitem(last=False)


def crawler_said(user_agent: str) -> Crawler | None:
    """Return the crawler that a user agent names."""
    return _said(user_agent)[0]


def says_it_crawls(user_agent: str) -> bool:
    """Say whether a program says that it is one that crawls, of whatever name. Cost: 0.2 us."""
    return _said(user_agent)[1]


@lru_cache(maxsize=4_096)
def _said(user_agent: str) -> tuple[Crawler | None, bool]:
    said = user_agent[:1_000].lower()
    crawler = next((crawler for crawler, pattern in _SAYS if pattern.search(said)), None)
    return crawler, crawler is not None or _ANY.search(said) is not None


def read_ranges(folder: Path) -> dict[str, list[Range]]:
    """Return the ranges of a folder with the files as their owners publish them: `google.json`, `google-special.json`.

    A file that cannot be read is said in the log and left out: its crawler is verified by DNS.
    """
    ranges: dict[str, list[Range]] = {}
    for path in sorted(folder.glob("*.json")):
        name = re.split(r"[-._]", path.stem)[0]
        try:
            prefixes = json.loads(path.read_text(encoding="utf-8"))["prefixes"]
            found = [ipaddress.ip_network(next(iter(one.values()))) for one in prefixes]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as broken:
            log.warning(
                "a list of a crawler's addresses cannot be read",
                extra={"file": path.name, "reason": str(broken)},
            )
            continue
        ranges.setdefault(name, []).extend(found)
    return ranges


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
