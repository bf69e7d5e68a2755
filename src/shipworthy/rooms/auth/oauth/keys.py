"""The keys an issuer signs with, found by name.

A name we know never waits. One we do not know may be new, so it has the set fetched again, at most
every 30 s and only once for all who ask; a name that was not there then is not looked for again for
a while. So a thousand made-up names cost the provider one request, and a key that replaced all
others is found within the request that brought it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shipworthy.kernel.egress import ProviderFailed
from shipworthy.rooms.auth.oauth.documents import Cached

COOLDOWN_S = 30.0
ABSENT_S = 300.0
ABSENT_MAX = 128
RSA_BITS_MIN = 2_048
_SMALL_PRIMES = tuple(n for n in range(3, 168) if all(n % d for d in range(2, n)))
Key = RSAKey | ECKey | OKPKey
Published = tuple[dict[str, Any], ...]
_KIND = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
_IMPORT: dict[str, Callable[[Any], Key]] = {
    "RSA": RSAKey.import_key,
    "EC": ECKey.import_key,
    "OKP": OKPKey.import_key,
}


class Keys:
    """One issuer's keys. `fetch` returns the published set and for how long it is fresh."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[tuple[Published, float]]],
        *,
        clock: Callable[[], float],
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._set = Cached(fetch, clock=clock, count=count)
        self._clock, self._count = clock, count
        self._asked_at_s: float | None = None  # when an unknown name last caused a fetch
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._read: tuple[Published, dict[tuple[str | None, str], Key]] = ((), {})

    async def find(self, kid: str | None, *, algorithm: str) -> Key | None:
        """Return the key of this name for this algorithm, or None when the issuer has none.

        Without a name, the only key that fits. Errors: ProviderFailed.
        """
        published = await self._set.get()
        key = self._pick(published, kid, algorithm)
        if key is not None or kid is None:
            return key
        if not self._may_ask(kid):
            self._count("unknown_kid_refused")
            return None
        key = self._pick(await self._again(), kid, algorithm)
        if key is None:
            self._note_absent(kid)
        return key

    async def close(self) -> None:
        await self._set.close()

    def _pick(self, published: Published, kid: str | None, algorithm: str) -> Key | None:
        """Read a key once for as long as its set is in force; a set names so many, and others are not kept."""
        if self._read[0] is not published:
            self._read = (published, {})
        name, read = (kid, algorithm), self._read[1]
        if name not in read:
            key = pick(published, kid, algorithm=algorithm)
            if key is None:
                return None
            read[name] = key
        return read[name]

    def _may_ask(self, kid: str) -> bool:
        now_s = self._clock()
        if self._absent.get(kid, 0.0) > now_s:
            return False
        if self._set.is_fetching:
            return True  # joins the fetch that is under way
        return self._asked_at_s is None or now_s >= self._asked_at_s + COOLDOWN_S

    async def _again(self) -> Published:
        if not self._set.is_fetching:
            self._count("unknown_kid_fetch")
            self._asked_at_s = self._clock()
        return await self._set.refresh()

    def _note_absent(self, kid: str) -> None:
        self._absent[kid] = self._clock() + ABSENT_S
        self._absent.move_to_end(kid)
        while len(self._absent) > ABSENT_MAX:
            self._absent.popitem(last=False)


def pick(published: Published, kid: str | None, *, algorithm: str) -> Key | None:
    """Return the one key of a published set that a token may have been signed with."""
    fitting = [jwk for jwk in published if _fits(jwk, algorithm) and (kid is None or jwk.get("kid") == kid)]
    if len(fitting) != 1:
        return None  # two keys of one name: nothing tells which is meant
    try:
        key = _IMPORT[fitting[0]["kty"]](fitting[0])
        is_strong = not isinstance(key, RSAKey) or _is_strong(key)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if is_strong else None


def _is_strong(key: RSAKey) -> bool:
    """Whether an RSA key is long enough and not of the kind whose private part can be computed.

    Source:  CVE-2017-15361 (ROCA): the primes of one maker's chips are powers of 65537 modulo every
             small prime, and so is their product; of another key's, that is true once in 2**27.
    """
    modulus: int = key.public_key.public_numbers().n
    residues = all(modulus % prime in _powers(prime) for prime in _SMALL_PRIMES)
    return bool(key.raw_value.key_size >= RSA_BITS_MIN) and not residues


@cache
def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(65_537, n, prime) for n in range(prime))


def read_published(document: Any) -> Published:
    """Return the keys of a JWKS document. Errors: ProviderFailed when it is none."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ProviderFailed("the key set is none")
    return tuple(keys)


def _fits(jwk: dict[str, Any], algorithm: str) -> bool:
    """Whether a key is meant for verifying this algorithm. One with its private part is nobody's any more."""
    kind, curve = _KIND[algorithm]
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == kind
        and (curve is None or jwk.get("crv") == curve)
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and jwk.get("alg", algorithm) == algorithm
        and "d" not in jwk
    )
