"""Targeting: which variant somebody gets, by the rules of flagd's file (JsonLogic with `fractional`).

Knows the operators of KNOWN and refuses every other when the file is read: a rule that would
silently be nobody's is worse than none. `fractional` hashes as flagd does, so that the same people
are in when a daemon serves the same file one day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

DEPTH_MAX = 20
_MASK = 0xFFFF_FFFF


def check(rule: Any, variants: Mapping[str, Any], *, depth: int = 0) -> str:
    """Say what is wrong with a rule; empty when nothing is."""
    if depth > DEPTH_MAX:
        return f"is nested deeper than {DEPTH_MAX}"
    if isinstance(rule, list):
        return next(filter(None, (check(part, variants, depth=depth + 1) for part in rule)), "")
    return _check_operator(rule, variants, depth) if isinstance(rule, dict) else ""


def _check_operator(rule: dict[str, Any], variants: Mapping[str, Any], depth: int) -> str:
    if len(rule) != 1:
        return f"a rule has one operator, this one has {len(rule)}: {', '.join(map(str, rule)) or 'none'}"
    ((operator, arguments),) = rule.items()
    if operator == "fractional":
        return _check_fractional(arguments, variants)
    known = {*KNOWN, "if", "var"}
    if operator not in known:
        return f"the operator {operator!r} is not known; known: {', '.join(sorted({*known, 'fractional'}))}"
    return check(arguments, variants, depth=depth + 1)


def _check_fractional(arguments: Any, variants: Mapping[str, Any]) -> str:
    shares = _shares(arguments)
    if not shares:
        return 'fractional wants shares like ["on", 10], ["off", 90]'
    for variant, weight in shares:
        if variant not in variants:
            return f"fractional names the variant {variant!r}, which is not one"
        if not isinstance(weight, int) or isinstance(weight, bool) or weight < 0:
            return f"the share of {variant!r} must be a whole number from 0, not {weight!r}"
    return "" if sum(weight for _, weight in shares) > 0 else "the shares add up to nothing"


def evaluate(rule: Any, facts: Mapping[str, Any], *, flag: str, key: str) -> Any:
    """Return what a checked rule says of `facts`; None is no opinion. `key` is who it sticks to."""
    if isinstance(rule, list):
        return [evaluate(part, facts, flag=flag, key=key) for part in rule]
    if not isinstance(rule, dict):
        return rule
    ((operator, arguments),) = rule.items()
    if operator == "fractional":
        return _fraction(_shares(arguments), f"{flag}{key}")
    given = arguments if isinstance(arguments, list) else [arguments]
    if operator == "if":
        return _first_that_holds(given, facts, flag=flag, key=key)
    values = [evaluate(part, facts, flag=flag, key=key) for part in given]
    if operator == "var":
        return _fact(facts, values)
    return KNOWN[operator](values)


def _first_that_holds(given: list[Any], facts: Mapping[str, Any], *, flag: str, key: str) -> Any:
    for place in range(0, len(given) - 1, 2):
        if evaluate(given[place], facts, flag=flag, key=key):
            return evaluate(given[place + 1], facts, flag=flag, key=key)
    return evaluate(given[-1], facts, flag=flag, key=key) if len(given) % 2 else None


def _fact(facts: Mapping[str, Any], values: list[Any]) -> Any:
    name = values[0] if values else None
    otherwise = values[1] if len(values) > 1 else None
    return facts.get(name, otherwise) if isinstance(name, str) else otherwise


def _same(values: list[Any]) -> bool:
    return len(values) == 2 and bool(values[0] == values[1])


def _text(compare: Callable[[str, str], bool]) -> Callable[[list[Any]], bool]:
    return lambda values: len(values) == 2 and all(isinstance(v, str) for v in values) and compare(*values)


def _inside(values: list[Any]) -> bool:
    if len(values) != 2:
        return False
    what, where = values
    if isinstance(where, str):
        return isinstance(what, str) and what in where
    return isinstance(where, list) and what in where


KNOWN: Mapping[str, Callable[[list[Any]], bool]] = {
    "==": _same,
    "===": _same,
    "!=": lambda values: not _same(values),
    "!==": lambda values: not _same(values),
    "in": _inside,
    "and": all,
    "or": any,
    "!": lambda values: not values[0] if values else True,
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith),
}


def _shares(arguments: Any) -> list[tuple[Any, Any]]:
    parts = arguments if isinstance(arguments, list) else []
    shares = [tuple(part) if len(part) == 2 else (part[0], 1) for part in parts if isinstance(part, list) and len(part) in (1, 2)]  # fmt: skip
    return shares if len(shares) == len(parts) else []


def _fraction(shares: list[tuple[Any, Any]], hashed: str) -> Any:
    # flagd: the absolute value of the signed 32-bit hash, as a share of its largest.
    number = murmur3(hashed.encode())
    signed = number - (1 << 32) if number >= 1 << 31 else number
    percent, total = abs(signed) / (2**31 - 1) * 100, sum(weight for _, weight in shares)
    end = 0.0
    for variant, weight in shares:
        end += weight * 100 / total
        if percent < end:
            return variant
    return shares[-1][0]


def murmur3(data: bytes) -> int:
    """Return MurmurHash3's 32 bits (x86, seed 0).

    Source:  Austin Appleby, smhasher, MurmurHash3.cpp (public domain): the constants and the order.
    """
    h, rest = 0, len(data) % 4
    for place in range(0, len(data) - rest, 4):
        h ^= _mixed(int.from_bytes(data[place : place + 4], "little"))
        h = (_turned(h, 13) * 5 + 0xE654_6B64) & _MASK
    if rest:
        h ^= _mixed(int.from_bytes(data[-rest:], "little"))
    h ^= len(data)
    h = ((h ^ h >> 16) * 0x85EB_CA6B) & _MASK
    h = ((h ^ h >> 13) * 0xC2B2_AE35) & _MASK
    return h ^ h >> 16


def _mixed(k: int) -> int:
    return (_turned((k * 0xCC9E_2D51) & _MASK, 15) * 0x1B87_3593) & _MASK


def _turned(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _MASK
