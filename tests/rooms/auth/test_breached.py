"""The filter of passwords that are tried first: misses none of its own, and takes few others for one."""

from __future__ import annotations

import hashlib
import json

from shipworthy.rooms.auth.breached import Filter, breached, filter_of
from tests.rooms.auth.conftest import AuthApp

WELL_KNOWN = ("password", "qwertyuiop", "letmein", "iloveyou", "1q2w3e4r5t6y", "motherfucker", "christopher")


def test_the_bundled_filter_knows_what_everybody_tries_and_little_else() -> None:
    assert [word for word in WELL_KNOWN if word not in breached()] == []
    others = [hashlib.sha256(str(n).encode()).hexdigest()[:20] for n in range(100_000)]
    # One is expected; the words are the same in every run, so this holds or does not.
    assert sum(other in breached() for other in others) < 5
    assert len(breached().bits) < 150_000
    assert "BSD-3-Clause" in breached().facts["source"] and breached().facts["entries"] > 40_000


def test_a_filter_misses_none_of_its_own() -> None:
    words = [f"word number {n} 火 \ud800" for n in range(2_000)]
    facts, _, bits = filter_of(words, source="made up").partition(b"\n")
    made = Filter(json.loads(facts), bits)
    assert all(word in made for word in words)
    assert sum(f"other {n}" in made for n in range(2_000)) == 0
    half_empty = Filter(made.facts, bits[: len(bits) // 2] + bytes(len(bits) - len(bits) // 2))
    assert not all(word in half_empty for word in words)  # the check can fail


async def test_whoever_signs_in_with_one_is_told_to_choose_another(auth: AuthApp) -> None:
    from shipworthy.rooms.auth.hashing import pool_of

    weak = await pool_of(auth.running.runtime).hash("qwertyuiop1234567")
    await auth.running.admin("update credential set password_hash = $1", weak)
    client = auth.client()
    assert (await auth.sign_in(client, password="qwertyuiop1234567")).status == 303
    assert "Many people use your password" in (await client.get("/account")).text
    assert "Many people" not in (await client.get("/account")).text  # once is enough
