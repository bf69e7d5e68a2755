"""A filter of passwords that are tried first: small, offline, and wrong about once in a hundred thousand.

A Bloom filter: it never misses a password it was made of, and takes another for one of them at the
rate its size allows. Made by tools/breached.py; the first line of the file says of what.
Cost:    one hash of sixteen bytes and seventeen bits read; about 120 kB in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "breached.bin"
# 24 bits an entry and 17 of them set: (1 - e^(-17/24))^17, about 1 in 100,000.
_BITS_PER_ENTRY = 24
_HASHES = 17


@dataclass(frozen=True)
class Filter:
    """What is in the file: how it is read, what it was made of, and the bits."""

    facts: dict[str, Any]
    bits: bytes

    def __contains__(self, password: str) -> bool:
        size = len(self.bits) * 8
        return all(self.bits[at >> 3] >> (at & 7) & 1 for at in _places(password, size, self.facts["hashes"]))


@cache
def breached() -> Filter:
    """The bundled filter."""
    facts, _, bits = FILE.read_bytes().partition(b"\n")
    return Filter(json.loads(facts), bits)


def filter_of(passwords: Collection[str], *, source: str) -> bytes:
    """Return a filter file of these passwords, lower-cased already."""
    bits = bytearray(len(passwords) * _BITS_PER_ENTRY // 8 + 1)
    for password in passwords:
        for at in _places(password, len(bits) * 8, _HASHES):
            bits[at >> 3] |= 1 << (at & 7)
    facts = {"entries": len(passwords), "hashes": _HASHES, "source": source}
    return json.dumps(facts).encode() + b"\n" + bytes(bits)


def _places(password: str, size_bits: int, count: int) -> Iterator[int]:
    """Two hashes make all the others (Kirsch and Mitzenmacher, 2006)."""
    digest = hashlib.blake2b(password.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first, second = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return ((first + n * second) % size_bits for n in range(count))
