"""Flag debt: a flag is a loan. It names who took it and when it is paid back, or the build fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shipworthy.contract.manifest import Flag


@dataclass(frozen=True)
class Debt:
    """One flag that should not be as it is."""

    flag: str
    why: str
    fix: str


def flag_debts(flags: Iterable[Flag], *, today: date) -> list[Debt]:
    """Return what is owed: an owner, a day to go, and flags whose day has passed."""
    found = []
    for flag in flags:
        if not flag.owner.strip():
            found.append(Debt(flag.name, "names no owner", "Say in its declaration who decides about it."))
        try:
            day = date.fromisoformat(flag.expires)
        except ValueError:
            found.append(
                Debt(flag.name, f"has no day to go ({flag.expires!r})", 'Declare expires="2027-03-31".')
            )
            continue
        if day < today:
            late = (today - day).days
            found.append(
                Debt(
                    flag.name,
                    f"should have gone {late} day{'' if late == 1 else 's'} ago ({flag.expires})",
                    "Take the flag out and keep the branch that won, or let its owner set a later day.",
                )
            )
    return found
