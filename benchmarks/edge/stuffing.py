"""A stolen list is tried while people sign in: 500 logins a second on a virtual clock, the hash counted and not computed.

350 a second are people: most in the browser they always use, some in another one; three of a hundred mistype; 300 of them
share the address of one office, and two of a thousand browsers run no script. 150 a second are the attack: 5,000 addresses
of their own networks (one in twenty in the network of some person), 20,000 accounts, two of a thousand passwords right,
sent by programs that compute nothing. Each try goes through the whole app: door, guard, admission, suspicion, throttle in
PostgreSQL, audit. Then the same attack by programs that do compute, for what that costs them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from argon2.exceptions import VerifyMismatchError
from tests.support.app import RunningApp
from tests.support.client import Answer, Client

from shipworthy.kernel.edge.challenge import Challenge, solve
from shipworthy.rooms.auth.devices import new_token
from shipworthy.rooms.auth.gate import suspects
from shipworthy.rooms.auth.hashing import STATE, HashPool
from shipworthy.rooms.auth.tokens import digest

PER_S, ATTACK_SHARE = 500, 0.3
ACCOUNTS, PEOPLE, ADDRESSES = 20_000, 6_000, 5_000
_OWN_BROWSER, _TYPO, _NO_SCRIPT, _OFFICE = 0.8, 0.03, 0.002, 300
_NEAR_A_PERSON, _STOLEN_RIGHT = 0.05, 0.002
# Solving is not what is measured here: a handful of hashes stands for what BITS ask of a browser.
_CHEAP_BITS = (0, 1, 2, 3)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class CountedHasher:
    """Stands for Argon2id: counts who comes so far."""

    def __init__(self) -> None:
        self.judged = 0

    def hash(self, password: str) -> str:
        return f"stub:{password}"

    def verify(self, stored: str, password: str) -> bool:
        self.judged += 1
        if stored != f"stub:{password}":
            raise VerifyMismatchError
        return True

    def check_needs_rehash(self, _stored: str) -> bool:
        return False


@dataclass(frozen=True)
class Person:
    email: str
    address: str
    device: str
    has_script: bool


@dataclass
class Tally:
    """What came of it."""

    people: int = 0
    blocked: int = 0
    locked: set[str] = field(default_factory=set)
    attack: int = 0
    reached: int = 0
    challenged: int = 0


def open_stub_pool(app: RunningApp) -> CountedHasher:
    hasher = CountedHasher()
    app.runtime.state[STATE].close()
    app.runtime.state[STATE] = HashPool(hasher, workers=1, queue_max=1_000, decoy="stub:nobody")  # type: ignore[arg-type]
    return hasher


async def people_of(app: RunningApp, dice: random.Random) -> list[Person]:
    """Fill the directory: accounts with passwords, and the browsers that people use."""
    realm, at = app.runtime.realm_id, datetime(2026, 1, 1, tzinfo=UTC)
    ids = [uuid4() for _ in range(ACCOUNTS)]
    emails = [f"person{n}@mail.example" for n in range(ACCOUNTS)]
    await app.admin(
        "insert into app_user (realm_id, user_id, email_raw, email_canon, name, verified_at, created_at)"
        " select $1, u, e, e, 'Person', $4, $4 from unnest($2::uuid[], $3::text[]) as t(u, e)", realm, ids, emails, at)  # fmt: skip
    await app.admin(
        "insert into credential (realm_id, credential_id, user_id, kind, password_hash, changed_at)"
        " select $1, gen_random_uuid(), u, 'password', 'stub:' || e || ' secret', $4 from unnest($2::uuid[], $3::text[]) as t(u, e)",
        realm, ids, emails, at)  # fmt: skip
    people = [
        Person(
            email=emails[n],
            address="198.51.100.7" if n < _OFFICE else f"{20 + n // 60_000}.{n // 250 % 250}.{n % 250}.9",
            device=new_token(app.runtime),
            has_script=dice.random() >= _NO_SCRIPT,
        )
        for n in range(PEOPLE)
    ]
    await app.admin(
        "insert into device (realm_id, device_id, user_id, cookie_sha256, name, created_at, last_seen_at)"
        " select $1, gen_random_uuid(), u, c, 'Firefox', $4, $4 from unnest($2::uuid[], $3::bytea[]) as t(u, c)",
        realm, ids[:PEOPLE], [digest(person.device) for person in people], at)  # fmt: skip
    return people


async def run(
    app: RunningApp, clock: Clock, *, seconds: int, solves: bool, seed: int
) -> tuple[Tally, CountedHasher]:
    """Let people and attackers sign in for so many virtual seconds. Cost: some 4 ms a login."""
    dice = random.Random(seed)
    hasher, tally = open_stub_pool(app), Tally()
    people = (
        await people_of(app, dice)
        if not app.runtime.state.get("bench.people")
        else app.runtime.state["bench.people"]
    )
    app.runtime.state["bench.people"] = people
    addresses = [
        people[dice.randrange(PEOPLE)].address.rpartition(".")[0] + ".66"
        if dice.random() < _NEAR_A_PERSON
        else f"{100 + n // 60_000}.{n // 250 % 250}.{n % 250}.66"
        for n in range(ADDRESSES)
    ]
    bits, suspects.BITS = suspects.BITS, _CHEAP_BITS
    tried = 0
    try:
        for _login_nth in range(seconds * PER_S):
            clock.at += timedelta(seconds=1 / PER_S)
            if dice.random() < ATTACK_SHARE:
                before = hasher.judged
                await _attack(
                    app,
                    addresses[tried % ADDRESSES],
                    f"person{tried * 7919 % ACCOUNTS}@mail.example",
                    dice,
                    solves=solves,
                )
                tally.attack += 1
                tally.reached += hasher.judged - before
                tried += 1
            else:
                await _person(app, people[dice.randrange(PEOPLE)], dice, tally)
    finally:
        suspects.BITS = bits
    return tally, hasher


async def _attack(app: RunningApp, address: str, email: str, dice: random.Random, *, solves: bool) -> None:
    password = f"{email} secret" if dice.random() < _STOLEN_RIGHT else "from a list"
    client = app.client(address=address)
    answer = await _login(client, email, password)
    if solves and answer.status == 403:
        await _login(client, email, password, proof=_solved(answer))


async def _person(app: RunningApp, person: Person, dice: random.Random, tally: Tally) -> None:
    """A person signs in; who mistypes tries again, who is asked to compute lets the browser do it."""
    client = app.client(address=person.address)
    is_own = dice.random() < _OWN_BROWSER
    if is_own:
        client.cookies["device"] = person.device
    if dice.random() < _TYPO:
        answer = await _login(client, person.email, "mistyped")
        if answer.status == 403 and person.has_script:
            await _login(client, person.email, "mistyped", proof=_solved(answer))
    answer = await _login(client, person.email, f"{person.email} secret")
    if answer.status == 403:
        tally.challenged += 1
        if person.has_script:
            answer = await _login(client, person.email, f"{person.email} secret", proof=_solved(answer))
    tally.people += 1
    if answer.status != 200:
        tally.blocked += 1
        if is_own:
            tally.locked.add(person.email)


async def _login(client: Client, email: str, password: str, *, proof: str = "") -> Answer:
    return await client.post("/login", json_body={"email": email, "password": password, "proof": proof})


def _solved(answer: Answer) -> str:
    return solve(Challenge(answer.json["challenge"], answer.json["bits"]))
