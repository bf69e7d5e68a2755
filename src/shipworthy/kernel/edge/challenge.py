"""A challenge that a browser solves by computing, while its person types: no picture, no mouse, nothing to read. Pure.

A challenge is a text of ours with a seal in it, so that none is kept; a solution is a number that makes the SHA-256 of both
begin with so many zero bits. It costs a phone a second, and a list of a million stolen passwords many days. Each is good
for ten minutes and for one try.
Source:  A. Back, Hashcash (2002): cheap to check, dear to make, and as dear as one likes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections import OrderedDict
from dataclasses import dataclass

TTL_S = 600
BITS_MAX = 22
_MAC_BYTES, _RANDOM_BYTES = 16, 9
_USE = b"shipworthy/edge/challenge/1\x00"
_REFUSAL = 0x80
_SPENT_MAX = 100_000  # of one process; each is forgotten after TTL_S anyway
_SOLUTION_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is shown to a browser: the text to begin with, and how many zero bits are wanted."""

    text: str
    bits: int


@dataclass(frozen=True, slots=True)
class Solved:
    """A solution that was taken. `was_refused`: its challenge was the answer to a try that brought none."""

    was_refused: bool


class Challenges:
    """Makes and checks the challenges of one installation; what is spent, this process remembers."""

    def __init__(self, *, signing_key: bytes) -> None:
        self._key = signing_key
        self._spent: OrderedDict[bytes, float] = OrderedDict()

    def make(self, *, bits: int, now_s: float, is_refusal: bool = False) -> Challenge:
        assert 0 < bits <= BITS_MAX, "more would keep a phone busy for minutes"
        asked = bits | (_REFUSAL if is_refusal else 0)
        said = int(now_s).to_bytes(5, "big") + bytes([asked]) + os.urandom(_RANDOM_BYTES)
        text = base64.urlsafe_b64encode(said + self._mac(said)).decode().rstrip("=")
        return Challenge(text, bits)

    def solved(self, solution: str, *, bits: int, now_s: float) -> Solved | None:
        """Take `<challenge>.<number>` where it is a challenge of ours, fresh, at least so hard, solved and not spent; then
        it is spent. Cost: 5 us."""
        said = self._read(solution)
        if said is None:
            return None
        made_s, wanted = int.from_bytes(said[:5], "big"), said[5] & ~_REFUSAL
        if not -60 <= now_s - made_s <= TTL_S or wanted < bits:
            return None
        if zero_bits(hashlib.sha256(solution.encode()).digest()) < wanted or not self._spend(said, now_s):
            return None
        return Solved(was_refused=bool(said[5] & _REFUSAL))

    def _read(self, solution: str) -> bytes | None:
        """Return what we said in the challenge of a solution; None where it is none of ours."""
        text, _, number = solution.partition(".")
        if len(solution) > _SOLUTION_CHARS_MAX or not (number.isascii() and number.isdecimal()):
            return None
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
        said, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        is_ours = len(said) == 6 + _RANDOM_BYTES and hmac.compare_digest(mac, self._mac(said))
        return said if is_ours else None

    def _spend(self, said: bytes, now_s: float) -> bool:
        while self._spent and (
            len(self._spent) >= _SPENT_MAX or next(iter(self._spent.values())) < now_s - TTL_S - 60
        ):
            self._spent.popitem(last=False)
        if said in self._spent:
            return False
        self._spent[said] = now_s
        return True

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, _USE + said, "sha256")[:_MAC_BYTES]


def zero_bits(digest: bytes) -> int:
    """Return how many bits of a digest are zero before the first that is not."""
    number = int.from_bytes(digest, "big")
    return len(digest) * 8 - number.bit_length()


def solve(challenge: Challenge) -> str:
    """Return a solution, as a browser finds it. Cost: 2**bits hashes on average."""
    number = 0
    while True:
        solution = f"{challenge.text}.{number}"
        if zero_bits(hashlib.sha256(solution.encode()).digest()) >= challenge.bits:
            return solution
        number += 1
