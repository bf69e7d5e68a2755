"""What the endpoints of one stub share: its people, clients, keys, grants, and how it behaves now."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable

from shipworthy.gauntlet.idp.conduct import Conduct
from shipworthy.gauntlet.idp.grants import Grants
from shipworthy.gauntlet.idp.keys import Algorithm, KeyRing
from shipworthy.gauntlet.idp.registry import Client, Person
from shipworthy.gauntlet.idp.tokens import TokenMaker


class State:
    """One issuer. `clock` is what tokens and grants are dated by, in seconds since 1970."""

    def __init__(
        self,
        *,
        people: Iterable[Person],
        clients: Iterable[Client] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.people = tuple(people)
        assert self.people, "a provider knows somebody"
        self._known = {name: p for p in reversed(self.people) for name in (p.sub, p.email)}
        self.turns = itertools.cycle(self.people)
        self.clients = {client.client_id: client for client in clients}
        algorithms: list[Algorithm] = ["ES256", *(client.algorithm for client in self.clients.values())]
        self.ring = KeyRing(algorithms)
        self.issuer = ""  # known once it listens
        self.conduct = Conduct()
        self.last_id_token = ""
        self.clock = clock
        self.tokens = TokenMaker(self.ring)
        self.grants = Grants(clock)

    def person(self, name: str) -> Person:
        """Return who has this sub or address; the first of all when nobody has."""
        return self._known.get(name, self.people[0])
