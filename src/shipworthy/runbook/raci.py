"""Who does what when something happens: responsible, accountable, consulted, informed, for each class of incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Duty:
    """One class of incidents. R repairs, A answers for it (exactly one), C is asked, I is told."""

    incident: str
    means: str
    responsible: str
    accountable: str
    consulted: str
    informed: str


DEFAULTS = (
    Duty(incident="availability", means="People cannot use the app, or wait too long", responsible="on-call primary",
         accountable="head of engineering", consulted="on-call secondary", informed="support"),
    Duty(incident="data", means="Data is lost, wrong, or had to be brought back", responsible="on-call primary",
         accountable="head of engineering", consulted="finance", informed="owners of the tenants concerned"),
    Duty(incident="security", means="Keys, sign-in, or somebody saw what is not theirs", responsible="on-call primary",
         accountable="head of security", consulted="data protection", informed="owners of the tenants concerned"),
    Duty(incident="delivery", means="A release or a migration has to go back", responsible="who released it",
         accountable="head of engineering", consulted="on-call primary", informed="support"),
    Duty(incident="cost", means="A tenant uses more than was agreed", responsible="on-call secondary",
         accountable="head of product", consulted="finance", informed="owners of the tenants concerned"),
    Duty(incident="content", means="Pages lead nowhere or say the wrong thing", responsible="editor",
         accountable="head of product", consulted="on-call secondary", informed="support"),
    Duty(incident="usage", means="One person is refused, rightly or not", responsible="support",
         accountable="head of product", consulted="on-call secondary", informed="nobody"),
)  # fmt: skip
INCIDENTS = tuple(duty.incident for duty in DEFAULTS)


def duties(said: Mapping[str, Mapping[str, str]]) -> tuple[Duty, ...]:
    """Return every class's duties: what the app says in [raci], and the defaults for what it does not."""
    known = {duty.incident: vars(duty) for duty in DEFAULTS}
    return tuple(Duty(**{**facts, **said.get(incident, {})}) for incident, facts in known.items())


def wrong(said: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what is wrong with [raci]: an unknown class or role, and a class that nobody, or several, answer for."""
    found = []
    for incident, facts in said.items():
        if incident not in INCIDENTS:
            found.append(
                f"raci.{incident}: there is no such class of incidents; there are {', '.join(INCIDENTS)}"
            )
        for role, who in facts.items():
            if role not in ("responsible", "accountable", "consulted", "informed"):
                found.append(f"raci.{incident}.{role}: it is responsible, accountable, consulted or informed")
            elif role == "accountable" and ("," in who or not who.strip()):
                found.append(f"raci.{incident}.accountable: exactly one answers for it, not {who!r}")
    return found
