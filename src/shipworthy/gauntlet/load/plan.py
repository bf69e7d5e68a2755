"""What a load is: journeys at their rates, for how long, against which address, as whom.

Owns the plan's shape, its bounds and its refusals. A plan is plain data, so that it can be
printed before it runs and handed to another process as JSON.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from shipworthy.contract.manifest import Journey, Login, Slo
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.load.arrivals import Shape

CODE_REQUESTS_MAX = 30  # an arrival of coded journeys that asks for more ends as a failure


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
    code_folder: str = ""  # where journeys with `code` are found; nothing outside it is run
    facts: dict[str, Any] = field(default_factory=dict)  # what the journeys' code may want to know
    blocks: int = 24
    block_s: float = 3.0
    warmup_s: float = 3.0
    shape: Shape = field(default_factory=Shape)
    seed: int = 1
    shard: tuple[int, int] = (0, 1)  # this process offers every n-th arrival, from the i-th on
    head_url: str | None = None  # a second arm: the same arrivals at once, for a comparison (duet.py)
    head_site_url: str | None = None
    head_users: tuple[LoadUser, ...] = ()  # where the second arm's people have data of their own
    keeps_blocks: bool = False  # also keep each block's and second's histogram: duets and shards need them
    tls_ca: str = ""  # a PEM file with the authority to trust instead of the system's
    tls_insecure: bool = False  # trust any certificate, of this machine's addresses only
    # A request without an answer after this long is recorded at this value, as an exceedance.
    timeout_s: float = 5.0
    connections_max: int = 900  # below the usual limit of 1,024 open files
    in_flight_max: int = 20_000  # beyond it an arrival is dropped and counted: memory must stay bounded
    response_bytes_max: int = 8 * 1024 * 1024
    arrivals_max: int = 1_000_000
    allow_remote: bool = False  # another machine too, no faster than politeness.py says
    reached_at: dict[str, str] = field(
        default_factory=dict
    )  # where names are reached, instead of where they lead

    @property
    def duration_s(self) -> float:
        return self.warmup_s + self.blocks * self.block_s

    @property
    def time_s_max(self) -> float:
        """How long the load may take when nothing is answered any more; sign-ins not counted."""
        steps = max((CODE_REQUESTS_MAX if j.code else len(j.steps) for j in self.journeys), default=0)
        return self.duration_s + self.timeout_s * steps


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to connect, and what to call it in the Host and Origin headers."""

    host: str
    port: int
    authority: str
    origin: str
    is_tls: bool = False
    name: str = ""  # what the certificate must say


def mixed(
    journeys: Sequence[Journey], *, rate_per_s: float, weights: Mapping[str, float]
) -> tuple[Journey, ...]:
    """Return the journeys offered together at one rate, each by its weight.

    Which journey an arrival is, is then drawn for each anew: the parts of a Poisson process are Poisson
    processes of their own (Kingman, Poisson Processes, 1993, section 5.1), so a mix needs no machinery.

    Errors:  PlanRefused when the weights and the journeys do not name the same, or are not above 0.
    """
    if set(weights) != {j.name for j in journeys} or not all(w > 0 for w in weights.values()):
        raise PlanRefused(
            f"the mix names {', '.join(sorted(weights))} and the journeys are "
            f"{', '.join(sorted(j.name for j in journeys))}: give each a weight above 0"
        )
    whole = sum(weights.values())
    return tuple(replace(j, rate_per_s=rate_per_s * weights[j.name] / whole) for j in journeys)


def check(plan: LoadPlan) -> None:
    """Refuse a plan that cannot be run as written.

    Errors:  PlanRefused, naming the journey or setting and what to change.
    """
    if not plan.journeys:
        raise PlanRefused("the load has no journey: add at least one")
    place, of = plan.shard
    if not 0 <= place < of:
        raise PlanRefused(f"shard {place}/{of} does not exist: count from 0 to {of - 1}")
    if not 0 < plan.shape.low_share <= 1:
        raise PlanRefused(f"low_share {plan.shape.low_share:g} is no share: it must be above 0 and at most 1")
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
    return {
        name: replace(address, host=plan.reached_at.get(address.host, address.host))
        for name, address in (("console", console), ("site", site))
    }


def address_of(url: str, *, allow_remote: bool) -> Address:
    """Return where `url` leads. `localhost` and its subdomains are this machine (RFC 6761, 6.3).

    Errors:  PlanRefused for another machine, for TLS, and for what is no HTTP address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PlanRefused(f"{url!r} is no address: write http://host:port")
    if parts.path not in ("", "/"):
        raise PlanRefused(f"{url} holds a path; put it into the steps' paths")
    name = parts.hostname
    is_local_name = name == "localhost" or name.endswith(".localhost")
    if not is_local_name and not _is_loopback(name) and not allow_remote:
        raise PlanRefused(f"{url} is not on this machine; load another one only with allow_remote set")
    return Address(
        host="127.0.0.1" if is_local_name else name,
        port=parts.port or (443 if parts.scheme == "https" else 80),
        authority=parts.netloc.rpartition("@")[2],
        origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        is_tls=parts.scheme == "https",
        name=name,
    )


def tls_context(plan: LoadPlan) -> ssl.SSLContext:
    """Return how certificates are judged.

    Errors:  PlanRefused for an authority that cannot be read, and for trusting anybody on another machine.
    """
    if plan.tls_insecure:
        if plan.allow_remote:
            raise PlanRefused("tls_insecure is for this machine only; name the authority in tls_ca")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=plan.tls_ca or None)
    except (OSError, ssl.SSLError) as unreadable:
        raise PlanRefused(f"tls_ca {plan.tls_ca!r} cannot be read: {unreadable}") from None


def _check_journey(journey: Journey, plan: LoadPlan, slos: set[str]) -> None:
    if journey.slo not in slos:
        raise PlanRefused(f"journey {journey.name!r} is held against the unknown SLO {journey.slo!r}")
    if journey.rate_per_s <= 0:
        raise PlanRefused(f"journey {journey.name!r} has rate {journey.rate_per_s}: it must be above 0")
    if journey.code and journey.steps:
        raise PlanRefused(f"journey {journey.name!r} has code and steps: it can be only one of them")
    if not journey.code and not any(step.measured for step in journey.steps):
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
