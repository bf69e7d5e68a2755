"""What a load is: journeys at their rates, for how long, against which address, as whom.

Owns the plan's shape, its bounds and its refusals. A plan is plain data, so that it can be
printed before it runs and handed to another process as JSON.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from shipworthy.contract.manifest import Journey, Login, Slo
from shipworthy.contract.target import Credential


class PlanRefused(ValueError):
    """The plan cannot or must not be run; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class LoadUser:
    """A seeded person and the values of `{sample.NAME}` in that person's own data."""

    credential: Credential
    samples: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """One load, bounded in time and in count; the same seed gives the same arrivals.

    Units:   seconds, bytes, requests per second. The load lasts `warmup_s` (offered, not
             recorded) + `blocks * block_s`, then at most `timeout_s` per step for late answers.
    """

    name: str
    base_url: str
    journeys: tuple[Journey, ...]
    slos: tuple[Slo, ...]
    site_url: str | None = None
    users: tuple[LoadUser, ...] = ()
    login: Login | None = None
    blocks: int = 24
    block_s: float = 3.0
    warmup_s: float = 3.0
    shape: Literal["poisson", "fixed"] = "poisson"
    seed: int = 1
    # A request without an answer after this long is recorded at this value, as an exceedance.
    timeout_s: float = 5.0
    connections_max: int = 900  # below the usual limit of 1,024 open files
    in_flight_max: int = 20_000  # beyond it an arrival is dropped and counted: memory must stay bounded
    response_bytes_max: int = 8 * 1024 * 1024
    arrivals_max: int = 1_000_000
    allow_remote: bool = False

    @property
    def duration_s(self) -> float:
        return self.warmup_s + self.blocks * self.block_s

    @property
    def time_s_max(self) -> float:
        """How long the load may take when nothing is answered any more; sign-ins not counted."""
        return self.duration_s + self.timeout_s * max((len(j.steps) for j in self.journeys), default=0)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to connect, and what to call it in the Host and Origin headers."""

    host: str
    port: int
    authority: str
    origin: str


def check(plan: LoadPlan) -> None:
    """Refuse a plan that cannot be run as written.

    Errors:  PlanRefused, naming the journey or setting and what to change.
    """
    if not plan.journeys:
        raise PlanRefused("the load has no journey: add at least one")
    if plan.blocks < 1 or plan.block_s <= 0 or plan.warmup_s < 0 or plan.timeout_s <= 0:
        raise PlanRefused("blocks, block_s and timeout_s must be positive and warmup_s not negative")
    arrivals = sum(j.rate_per_s for j in plan.journeys) * plan.duration_s
    if arrivals > plan.arrivals_max:
        raise PlanRefused(
            f"the load would offer about {arrivals:.0f} arrivals, more than arrivals_max {plan.arrivals_max}: "
            "lower the rates or the duration"
        )
    for slo in plan.slos:
        if slo.threshold_ms > plan.timeout_s * 1000:
            raise PlanRefused(
                f"SLO {slo.name!r} allows {slo.threshold_ms:g} ms and the load waits {plan.timeout_s:g} s: raise timeout_s"
            )
    known = {slo.name for slo in plan.slos}
    for journey in plan.journeys:
        _check_journey(journey, plan, known)


def addresses(plan: LoadPlan) -> dict[str, Address]:
    """Return the address behind each host name a step may use ("console", "site").

    Errors:  PlanRefused when an address is not on this machine and `allow_remote` is not set.
    """
    console = address_of(plan.base_url, allow_remote=plan.allow_remote)
    site = address_of(plan.site_url, allow_remote=plan.allow_remote) if plan.site_url else console
    return {"console": console, "site": site}


def address_of(url: str, *, allow_remote: bool) -> Address:
    """Return where `url` leads. `localhost` and its subdomains are this machine (RFC 6761, 6.3).

    Errors:  PlanRefused for another machine, for TLS, and for what is no HTTP address.
    """
    parts = urlsplit(url)
    if parts.scheme == "https":
        raise PlanRefused(f"{url}: the load engine does not speak TLS; give the plain address behind it")
    if parts.scheme != "http" or not parts.hostname:
        raise PlanRefused(f"{url!r} is no address: write http://host:port")
    if parts.path not in ("", "/"):
        raise PlanRefused(f"{url} holds a path; put it into the steps' paths")
    name = parts.hostname
    is_local_name = name == "localhost" or name.endswith(".localhost")
    if not is_local_name and not _is_loopback(name) and not allow_remote:
        raise PlanRefused(f"{url} is not on this machine; load another one only with allow_remote set")
    return Address(
        host="127.0.0.1" if is_local_name else name,
        port=parts.port or 80,
        authority=parts.netloc.rpartition("@")[2],
        origin=f"http://{parts.netloc.rpartition('@')[2]}",
    )


def _check_journey(journey: Journey, plan: LoadPlan, slos: set[str]) -> None:
    if journey.slo not in slos:
        raise PlanRefused(f"journey {journey.name!r} is held against the unknown SLO {journey.slo!r}")
    if journey.rate_per_s <= 0:
        raise PlanRefused(f"journey {journey.name!r} has rate {journey.rate_per_s}: it must be above 0")
    if not any(step.measured for step in journey.steps):
        raise PlanRefused(f"journey {journey.name!r} measures none of its steps")
    for step in journey.steps:
        if not step.path.startswith("/") or any(c.isspace() for c in step.path):
            raise PlanRefused(
                f"journey {journey.name!r}: {step.path!r} is no path; begin with / and encode spaces"
            )
    if journey.login and plan.login is None:
        raise PlanRefused(
            f"journey {journey.name!r} needs a session, and the plan does not say how to sign in"
        )
    if journey.login and not plan.users:
        raise PlanRefused(f"journey {journey.name!r} needs a session, and the plan has no user")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
