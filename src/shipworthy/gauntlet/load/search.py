"""The largest rate that holds, found by trying. Knows nothing of what is tried.

Owns the order of the tries. A try is a short load, so what is found is an estimate, no verdict: the
caller offers it once more for as long as its rule wants, or says "about".
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# Two rates closer than this cannot be told apart by loads of some seconds on a shared machine.
RESOLUTION = 1.12


@dataclass(frozen=True, kw_only=True)
class Try:
    """One rate that was offered. `note` says in a few words what broke.

    One that is not `is_certain` broke where the generator itself was late: it ends the search there, and
    proves nothing of the app.
    """

    rate_per_s: float
    is_held: bool
    note: str = ""
    is_certain: bool = True


@dataclass(frozen=True, kw_only=True)
class Found:
    """The result of a search. `rate_per_s` is 0 when not even the lowest rate held."""

    rate_per_s: float
    tries: tuple[Try, ...]

    @property
    def is_bounded(self) -> bool:
        """Say whether a higher rate was seen to break: only then is it the largest."""
        return any(not one.is_held for one in self.tries)


Offer = Callable[[float], Awaitable[Try]]


async def largest_rate(
    offer: Offer, *, guess_per_s: float, low_per_s: float, high_per_s: float, tries_max: int = 6
) -> Found:
    """Return the largest rate that `offer` says is held, within `RESOLUTION`.

    Begins at the guess, then doubles or halves until the limit lies between two tries, then divides
    that gap by its geometric mean. Never offers beyond the bounds.

    Errors:  ValueError when the bounds do not enclose a rate above 0.
    """
    if not 0 < low_per_s <= high_per_s:
        raise ValueError(f"the bounds {low_per_s:g} to {high_per_s:g} enclose no rate")
    tries: list[Try] = []
    held, broken = 0.0, math.inf
    rate = min(max(guess_per_s, low_per_s), high_per_s)
    while len(tries) < tries_max:
        tries.append(await offer(rate))
        if tries[-1].is_held:
            held = max(held, rate)
        else:
            broken = min(broken, rate)
        if held >= high_per_s or broken <= low_per_s or broken / max(held, 1e-9) < RESOLUTION:
            break
        if broken == math.inf:
            rate = min(held * 2, high_per_s)
        elif held == 0.0:
            rate = max(broken / 2, low_per_s)
        else:
            rate = math.sqrt(held * broken)
    return Found(rate_per_s=held, tries=tuple(tries))
