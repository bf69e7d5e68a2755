"""Keys and documents of an issuer: fetched seldom, by one, and served while the issuer is away.

Covers: documents.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from shipworthy.kernel.egress import ProviderFailed
from shipworthy.rooms.auth.oauth.documents import Cached, fresh_s_of
from shipworthy.rooms.auth.oauth.keys import ABSENT_MAX, Keys, pick, read_published


class Issuer:
    """Publishes what it is told to, and counts who asks."""

    def __init__(self) -> None:
        self.now_s, self.fetches, self.is_away = 1_000.0, 0, False
        self.names = ["a"]
        self.gate: asyncio.Event | None = None
        self.counts: list[str] = []
        self.keys = Keys(self.fetch, clock=lambda: self.now_s, count=self.counts.append)

    async def fetch(self) -> tuple[tuple[dict[str, Any], ...], float]:
        self.fetches += 1
        if self.gate:
            await self.gate.wait()
        if self.is_away:
            raise ProviderFailed("away")
        return tuple({**_PUBLIC, "kid": name} for name in self.names), 600.0

    async def knows(self, kid: str | None) -> bool:
        return await self.keys.find(kid, algorithm="ES256") is not None


_PUBLIC = dict(ECKey.generate_key("P-256").as_dict(private=False))


async def test_a_thousand_random_names_cost_one_fetch_and_disturb_no_known_one() -> None:
    issuer = Issuer()
    assert await issuer.knows("a")
    found = await asyncio.gather(*(issuer.knows(f"random-{n}") for n in range(1_000)))
    assert not any(found)
    assert issuer.fetches == 2
    assert await issuer.knows("a")
    issuer.now_s += 29
    assert not await issuer.knows("one more")
    assert issuer.fetches == 2
    issuer.now_s += 1
    assert not await issuer.knows("one more")
    assert issuer.fetches == 3


async def test_a_new_key_is_found_in_the_request_that_brings_it() -> None:
    issuer = Issuer()
    assert await issuer.knows("a")
    issuer.names = ["b"]
    assert all(await asyncio.gather(*(issuer.knows("b") for _ in range(20))))
    assert issuer.fetches == 2
    assert not await issuer.knows("a")


async def test_only_unknown_names_start_the_cooldown() -> None:
    issuer = Issuer()
    assert not await issuer.knows("b")  # the first fetch was not for its name
    assert issuer.fetches == 2


async def test_a_known_name_never_waits_for_a_fetch() -> None:
    issuer = Issuer()
    assert await issuer.knows("a")
    issuer.gate = asyncio.Event()
    issuer.now_s += 601
    assert await issuer.knows("a")  # stale, and served while the gate is shut
    waiting = asyncio.create_task(issuer.knows("new"))
    await asyncio.sleep(0)
    assert await issuer.knows("a")
    issuer.names = ["a", "new"]
    issuer.gate.set()
    assert await waiting
    assert issuer.fetches == 2


async def test_an_issuer_that_is_away_is_served_from_memory_for_a_day() -> None:
    issuer = Issuer()
    assert await issuer.knows("a")
    issuer.is_away = True
    issuer.now_s += 600 + 24 * 3600 - 1
    assert await issuer.knows("a")
    issuer.now_s += 1
    with pytest.raises(ProviderFailed):
        await issuer.knows("a")


async def test_names_that_are_absent_are_remembered_and_few() -> None:
    issuer = Issuer()
    for n in range(ABSENT_MAX + 10):
        issuer.now_s += 31
        assert not await issuer.knows(f"random-{n}")
    assert len(issuer.keys._absent) == ABSENT_MAX
    before, issuer.now_s = issuer.fetches, issuer.now_s + 31
    assert not await issuer.knows(f"random-{ABSENT_MAX + 9}")  # not asked for again for five minutes
    assert issuer.fetches == before


async def test_what_happened_is_counted() -> None:
    issuer = Issuer()
    for name in ("a", "a", "x", "y"):
        await issuer.knows(name)
    assert issuer.counts == ["miss", "hit", "hit", "unknown_kid_fetch", "hit", "unknown_kid_refused"]


async def test_a_caller_who_leaves_does_not_end_the_fetch_of_the_others() -> None:
    issuer = Issuer()
    issuer.gate = asyncio.Event()
    first, second = (asyncio.create_task(issuer.knows("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    issuer.gate.set()
    assert await second
    assert issuer.fetches == 1
    await issuer.keys.close()


@pytest.mark.parametrize(
    ("header", "fresh_s"),
    [
        ("public, max-age=300", 300),
        ("max-age=1", 60),
        ("max-age=9999999", 86_400),
        ("no-store", 60),
        ("", 600),
        ("max-age=junk", 600),
        ("s-maxage=7", 600),
    ],
)
def test_freshness_is_what_the_issuer_says_within_bounds(header: str, fresh_s: float) -> None:
    assert fresh_s_of({"cache-control": header}) == fresh_s


def test_a_key_is_taken_for_its_own_algorithm_and_use_only() -> None:
    good = {**_PUBLIC, "kid": "k"}
    assert pick((good,), "k", algorithm="ES256")
    assert pick((good,), None, algorithm="ES256")
    wrong: list[dict[str, Any]] = [
        {**good, "use": "enc"},
        {**good, "alg": "ES384"},
        {**good, "key_ops": ["sign"]},
        {**good, "key_ops": "verify"},
        {**good, "d": "AQ"},
        {**good, "crv": "P-384"},
        {**good, "x": "AAAA"},
        {"kty": "oct", "k": "AAAA", "kid": "k"},
    ]
    assert not [key for key in wrong if pick((key,), "k", algorithm="ES256")]
    assert not pick((good, good), "k", algorithm="ES256")
    assert not pick((good,), "k", algorithm="RS256")
    weak = RSAKey.generate_key(1024).as_dict(private=False)
    assert not pick(({**weak, "kid": "k"},), "k", algorithm="RS256")


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": ["x"]}])
def test_what_is_no_key_set_is_a_failure_of_the_provider(document: Any) -> None:
    with pytest.raises(ProviderFailed):
        read_published(document)


async def test_a_failed_first_fetch_is_tried_again_by_the_next() -> None:
    issuer = Issuer()
    issuer.is_away = True
    cached = Cached(issuer.fetch, clock=lambda: issuer.now_s)
    with pytest.raises(ProviderFailed):
        await cached.get()
    issuer.is_away = False
    assert await cached.get()
