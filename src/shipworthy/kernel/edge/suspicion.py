"""How much a sign-in from some network looks like trying stolen lists of passwords. Pure: no I/O, time is passed in.

Somebody who forgot a password tries one account; a list is many accounts once each. Spread over thousands of addresses no
single one stands out, but all together they do: the share of failures of the whole house rises. So there are signs of a
network (distinct accounts, share of failures, a trap it fell into, a crawler it pretended to be) and one of the house. What
follows is never a refusal: it is a challenge, and its price. Browsers their owner has signed in with before are not counted.

Counts fade with a half-life instead of ending at a full hour, so that nobody can wait for the window to turn.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field

NETWORKS_MAX = 50_000
HALF_LIFE_S = 600.0  # of what a network did
HOUSE_HALF_LIFE_S = 30.0  # of what the house sees: an attack is noticed while it begins
MARK_S = 24 * 3600.0  # how long a trap is remembered
_ACCOUNTS_KEPT = 64
_ACCOUNTS_FEW, _ACCOUNTS_MANY = 8, 20  # failing ones of a network: a family, a class room, a list
_TRIES_ENOUGH = 6  # below that, a share of failures says nothing
_FAILING_SHARE = 0.6
# The house: of browsers that are new here, people fail one time in five or ten; a list, nearly each time. What is usual is
# not learned: who has patience would teach it.
_HOUSE_FAILURES, _HOUSE_SHARE = 20.0, 0.4
# Zero bits by level: 0.1 s, 0.5 s and 2 s of a phone on average (300,000 hashes a second).
BITS = (0, 15, 17, 19)


@dataclass(slots=True)
class _Fading:
    """A count that halves every so often."""

    value: float = 0.0
    at_s: float = 0.0

    def add(self, amount: float, now_s: float, half_life_s: float) -> None:
        self.value = self.now(now_s, half_life_s) + amount
        self.at_s = max(now_s, self.at_s)

    def now(self, now_s: float, half_life_s: float) -> float:
        return self.value * math.pow(0.5, max(0.0, now_s - self.at_s) / half_life_s)


@dataclass(slots=True)
class _Network:
    tries: _Fading = field(default_factory=_Fading)
    failures: _Fading = field(default_factory=_Fading)
    accounts: OrderedDict[bytes, float] = field(default_factory=OrderedDict)
    marked_until_s: float = 0.0


class Suspicion:
    """What one process has seen. Another process sees its share of the same attack."""

    def __init__(self) -> None:
        self._networks: OrderedDict[str, _Network] = OrderedDict()
        self._tries, self._failures = _Fading(), _Fading()

    def failed(self, network: str, account: bytes, now_s: float) -> None:
        """A sign-in was wrong: a password, or an account nobody has."""
        one = self._network(network)
        one.tries.add(1, now_s, HALF_LIFE_S)
        one.failures.add(1, now_s, HALF_LIFE_S)
        one.accounts[account] = now_s
        one.accounts.move_to_end(account)
        while len(one.accounts) > _ACCOUNTS_KEPT:
            one.accounts.popitem(last=False)
        self._house(1.0, now_s)

    def challenged(self, network: str, account: bytes, now_s: float) -> None:
        """A sign-in was not judged, because it brought no solution: as long as it brings none it is part of the attack.

        Not counted, an attack that is held off would look like one that is over, and be let in again.
        """
        self.failed(network, account, now_s)

    def solved(self, network: str, now_s: float) -> None:
        """Who was refused for the want of a solution has come back with one: what was counted of it is taken back."""
        one = self._network(network)
        for counter in (one.tries, one.failures):
            counter.add(-min(1.0, counter.now(now_s, HALF_LIFE_S)), now_s, HALF_LIFE_S)
        for counter in (self._tries, self._failures):
            counter.add(-min(1.0, counter.now(now_s, HOUSE_HALF_LIFE_S)), now_s, HOUSE_HALF_LIFE_S)

    def succeeded(self, network: str, now_s: float) -> None:
        """A sign-in was right."""
        self._network(network).tries.add(1, now_s, HALF_LIFE_S)
        self._house(0.0, now_s)

    def mark(self, network: str, now_s: float) -> None:
        """The network fell into a trap, or pretended to be a crawler."""
        self._network(network).marked_until_s = now_s + MARK_S

    def level(self, network: str, now_s: float, *, is_known: bool) -> int:
        """Return 0 (nothing is asked) to 3. A network somebody signed in from lately is not asked for what the house sees,
        only for what it does itself. Cost: 2 us."""
        own = self._own(network, now_s)
        if is_known:
            return own
        return min(len(BITS) - 1, own + (1 if self.is_under_attack(now_s) else 0))

    def is_under_attack(self, now_s: float) -> bool:
        """Say whether far more sign-ins fail than people's do, in the whole house."""
        failures = self._failures.now(now_s, HOUSE_HALF_LIFE_S)
        if failures < _HOUSE_FAILURES:
            return False
        return failures >= _HOUSE_SHARE * self._tries.now(now_s, HOUSE_HALF_LIFE_S)

    def _own(self, network: str, now_s: float) -> int:
        one = self._networks.get(network)
        if one is None:
            return 0
        level = 1 if one.marked_until_s > now_s else 0
        failures = one.failures.now(now_s, HALF_LIFE_S)
        accounts = sum(1 for at_s in one.accounts.values() if now_s - at_s < 2 * HALF_LIFE_S)
        tries = one.tries.now(now_s, HALF_LIFE_S)
        is_failing = tries >= _TRIES_ENOUGH and failures / tries >= _FAILING_SHARE
        if is_failing and accounts >= _ACCOUNTS_FEW:
            level += 2 if accounts >= _ACCOUNTS_MANY else 1
        return level

    def _network(self, network: str) -> _Network:
        one = self._networks.pop(network, None) or _Network()
        self._networks[network] = one
        while len(self._networks) > NETWORKS_MAX:
            self._networks.popitem(last=False)
        return one

    def _house(self, failure: float, now_s: float) -> None:
        self._tries.add(1, now_s, HOUSE_HALF_LIFE_S)
        self._failures.add(failure, now_s, HOUSE_HALF_LIFE_S)
