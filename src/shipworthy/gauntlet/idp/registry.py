"""Who may sign in at the stub, and which apps may ask it to: people and clients."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from shipworthy.gauntlet.idp.keys import Algorithm


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account at the provider. `sub` never changes; everything else may."""

    sub: str
    email: str
    name: str
    email_verified: bool | None = True  # None: the provider does not say

    def claims(self) -> dict[str, object]:
        verified = {} if self.email_verified is None else {"email_verified": self.email_verified}
        return {"sub": self.sub, "email": self.email, "name": self.name, **verified}


@dataclass(frozen=True, kw_only=True)
class Client:
    """An app that lets people sign in here. No secrets: a public client (RFC 6749 2.1).

    Two secrets are both good, as while an app changes from the old one to the new.
    """

    client_id: str
    secrets: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    signed_out_uris: tuple[str, ...] = ()
    algorithm: Algorithm = "ES256"

    def knows(self, secret: str) -> bool:
        """Say whether this is one of the secrets."""
        return any(hmac.compare_digest(secret.encode(), known.encode()) for known in self.secrets)


def seeded_people(count: int, *, seed: str = "shipworthy") -> tuple[Person, ...]:
    """Return people who are the same for the same seed, on every machine and in every run."""
    return tuple(_person(number, seed) for number in range(1, count + 1))


def _person(number: int, seed: str) -> Person:
    digest = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
    return Person(sub=digest[:24], email=f"person{number}.{digest[24:30]}@idp.test", name=f"Person {number}")
