"""Merging three texts line by line: what both started from, yours, and the new one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

YOURS, BASE, NEW = "<<<<<<< yours", "||||||| before", ">>>>>>> new"
_BETWEEN = "======="


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The merged text. `conflicts` are the lines of it on which a place begins where both changed the same lines."""

    text: str
    conflicts: tuple[int, ...] = ()


def merge(base: str, yours: str, new: str) -> Merged:
    """Return the text with both changes; where they meet, both stand there between markers.

    Each line of either side that was changed against the base is in the result.
    """
    if new in (yours, base):
        return Merged(text=yours)
    if base == yours:
        return Merged(text=new)
    lines: list[str] = []
    conflicts: list[int] = []
    b, y, n = (text.splitlines(keepends=True) for text in (base, yours, new))
    for base_part, yours_part, new_part in _parts(b, y, n):
        if new_part in (yours_part, base_part):
            lines += yours_part
        elif base_part == yours_part:
            lines += new_part
        else:
            conflicts.append(len(lines) + 1)
            for marker, part in ((YOURS, yours_part), (BASE, base_part), (_BETWEEN, new_part)):
                lines += [f"{marker}\n", *_ended(part)]
            lines.append(f"{NEW}\n")
    return Merged(text="".join(lines), conflicts=tuple(conflicts))


def _ended(lines: Sequence[str]) -> list[str]:
    """Return lines that all end, so that a marker behind them stands on a line of its own."""
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _parts(
    base: list[str], yours: list[str], new: list[str]
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Yield the three texts piece by piece: pieces that are the same in all three, and what lies between them."""
    at_base = at_yours = at_new = 0
    for b, y, n, size in _same(base, yours, new):
        yield base[at_base:b], yours[at_yours:y], new[at_new:n]
        yield base[b : b + size], yours[y : y + size], new[n : n + size]
        at_base, at_yours, at_new = b + size, y + size, n + size
    yield base[at_base:], yours[at_yours:], new[at_new:]


def _same(base: list[str], yours: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield where all three have the same lines: positions in each, and how many."""
    in_yours = SequenceMatcher(None, base, yours, autojunk=False).get_matching_blocks()
    in_new = SequenceMatcher(None, base, new, autojunk=False).get_matching_blocks()
    one = other = 0
    while one < len(in_yours) and other < len(in_new):
        mine, its = in_yours[one], in_new[other]
        start, end = max(mine.a, its.a), min(mine.a + mine.size, its.a + its.size)
        if start < end:
            yield start, mine.b + start - mine.a, its.b + start - its.a, end - start
        if mine.a + mine.size < its.a + its.size:
            one += 1
        else:
            other += 1
