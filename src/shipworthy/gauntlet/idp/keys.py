"""The stub's signing keys: fresh at every start, rotated on demand, published as a JWKS."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from joserfc.jwk import ECKey, RSAKey

Algorithm = Literal["ES256", "RS256"]
CROWD = 999  # other people's keys in a JWKS of a thousand


@dataclass(frozen=True)
class SigningKey:
    """A key pair under the name it is published by."""

    kid: str
    algorithm: Algorithm
    pair: ECKey | RSAKey

    @property
    def public(self) -> dict[str, Any]:
        """The published form (RFC 7517), never with the private part."""
        facts = self.pair.as_dict(private=False)
        return {**facts, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @property
    def public_pem(self) -> bytes:
        return self.pair.as_pem(private=False)


def new_key(algorithm: Algorithm) -> SigningKey:
    """Make a key under a random name.

    Cost: 0.1 ms for ES256, 30-100 ms for RS256.
    """
    pair = ECKey.generate_key("P-256") if algorithm == "ES256" else RSAKey.generate_key(2048)
    return SigningKey(secrets.token_urlsafe(8), algorithm, pair)


class KeyRing:
    """What the stub signs with now, and what it publishes.

    Beside the key that signs, one that never does is published for each algorithm: a token may
    then name a published key that did not sign it.
    """

    def __init__(self, algorithms: Iterable[Algorithm]) -> None:
        self._signing: dict[Algorithm, SigningKey] = {}
        self._beside: dict[Algorithm, SigningKey] = {}
        self._kept: list[SigningKey] = []
        self._crowd: list[dict[str, Any]] = []
        for algorithm in algorithms:
            self.offer(algorithm)

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        return tuple(self._signing)

    def offer(self, algorithm: Algorithm) -> None:
        """Be able to sign with this algorithm."""
        if algorithm not in self._signing:
            self._signing[algorithm] = new_key(algorithm)
            self._beside[algorithm] = new_key("ES256")  # named, never used: the cheaper kind will do

    def signing(self, algorithm: Algorithm) -> SigningKey:
        return self._signing[algorithm]

    def beside(self, algorithm: Algorithm) -> SigningKey:
        """A key that is published and never signs."""
        return self._beside[algorithm]

    def rotate(self, *, keep_old: bool) -> None:
        """Sign with new keys from now on. The old ones stay published, or are gone at once."""
        self._kept = [*self._kept, *self._signing.values()] if keep_old else []
        for algorithm in self._signing:
            self._signing[algorithm] = new_key(algorithm)
            self._beside[algorithm] = new_key("ES256")

    def rename(self) -> None:
        """Publish the same keys under new names: as good as new ones to a reader, and free."""
        self._kept = []
        self._signing = {
            algorithm: SigningKey(secrets.token_urlsafe(8), algorithm, key.pair)
            for algorithm, key in self._signing.items()
        }

    def published(self, *, crowded: bool = False) -> list[dict[str, Any]]:
        """Return the public keys, those that sign last; with `crowded` a thousand of them."""
        ours = [
            key.public for key in itertools.chain(self._kept, self._beside.values(), self._signing.values())
        ]
        if not crowded:
            return ours
        if not self._crowd:
            self._crowd = [new_key("ES256").public for _ in range(CROWD)]
        return [*self._crowd, *ours][-(CROWD + 1) :]
