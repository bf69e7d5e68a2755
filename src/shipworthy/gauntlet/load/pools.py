"""The pools of one load: one for each address, made when the first request goes there.

Owns which addresses may be reached: those of the plan, and others on this machine that an app sends a
visitor to (a sign-in provider), a few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urljoin, urlsplit

from shipworthy.gauntlet.load.client import Pool
from shipworthy.gauntlet.load.plan import Address, LoadPlan, PlanRefused, address_of, addresses, tls_context
from shipworthy.gauntlet.politeness import load_turns

_STRANGERS_MAX = 8


class NotReachable(Exception):
    """A visitor was sent to an address this load does not go to; the message names it."""


class Pools(Mapping[str, Pool]):
    """The pools by the host names a step may use ("console", "site"), and by address.

    Errors:  PlanRefused on making them, for an address that may not be loaded.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self.addresses = addresses(plan)
        self._tls = tls_context(plan) if plan.tls_ca or plan.tls_insecure or self._any_tls() else None
        self._turns = load_turns() if plan.allow_remote else None  # shared: the bound is the load's
        self._by_address: dict[tuple[str, int], Pool] = {}
        self._by_name = {name: self._of(address) for name, address in self.addresses.items()}

    def __getitem__(self, name: str) -> Pool:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def all(self) -> tuple[Pool, ...]:
        """Every pool once: hosts that share an address share its connections."""
        return tuple(self._by_address.values())

    def follow(self, origin: str, reference: str) -> tuple[Pool, Address, str]:
        """Return where a link in an answer of `origin` leads: pool, address, and path with query.

        Errors:  NotReachable for another machine, another scheme, or one address too many.
        """
        parts = urlsplit(urljoin(f"{origin}/", reference))
        bare = f"{parts.scheme}://{parts.netloc}"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        known = next((a for a in self.addresses.values() if a.origin == bare), None)
        try:
            address = known or address_of(bare, allow_remote=False)
        except (PlanRefused, ValueError) as refused:
            raise NotReachable(str(refused)) from None
        if (address.host, address.port) not in self._by_address and len(self._by_address) >= _STRANGERS_MAX:
            raise NotReachable(f"{bare} would be one address too many")
        return self._of(address), address, path

    async def close(self) -> None:
        for pool in self.all:
            await pool.close()

    def _any_tls(self) -> bool:
        return any(address.is_tls for address in self.addresses.values())

    def _of(self, address: Address) -> Pool:
        key = (address.host, address.port)
        if key not in self._by_address:
            self._by_address[key] = Pool(
                address,
                connections_max=self._plan.connections_max,
                response_bytes_max=self._plan.response_bytes_max,
                connect_timeout_s=self._plan.timeout_s,
                tls=self._tls,
                turns=self._turns,
            )
        return self._by_address[key]
