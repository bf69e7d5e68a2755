"""Canaries: values nobody else would write, one for each kind of secret and each route. Pure.

A canary found somewhere tells what it was (a password, an e-mail address …) and which route it
was given to. `mask` hides them, so that evidence of a leak does not leak again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What a canary stands for -> its two letters in the value. The order is that of the findings.
KINDS = {
    "password": "pw",
    "token": "tk",
    "cookie": "ck",
    "authorization": "au",
    "card number": "cc",
    "e-mail": "em",
    "name": "nm",
    "query string": "qs",
}
SECRETS = ("password", "token", "cookie", "authorization")
_KIND_OF = {letters: kind for kind, letters in KINDS.items()}
# What a field's name says of its value; the first that fits.
_FIELDS = (
    ("password", re.compile(r"pass|secret|\bpin\b", re.IGNORECASE)),
    ("token", re.compile(r"token|otp|api_?key|credential", re.IGNORECASE)),
    ("e-mail", re.compile(r"e_?mail", re.IGNORECASE)),
    ("card number", re.compile(r"card|iban|account_?number", re.IGNORECASE)),
    ("name", re.compile(r"name|title|text|note|street|city|address|description|comment|subject", re.IGNORECASE)),
)  # fmt: skip


@dataclass(frozen=True)
class Sighting:
    """A canary that was found: its kind and the number of the route it was given to."""

    kind: str
    route: int


class Canaries:
    """The canaries of one run. `run_id` is eight digits that no other run has."""

    def __init__(self, run_id: str) -> None:
        assert re.fullmatch(r"\d{8}", run_id), "a card number is digits"
        self._run_id = run_id
        card = rf"4000[ -]?{run_id[:4]}[ -]?{run_id[4:]}[ -]?(\d\d\d)\d"
        self._pattern = re.compile(rf"cnry{run_id}([a-z]{{2}})(\d{{3}})|{card}", re.IGNORECASE)

    def value(self, kind: str, route: int) -> str:
        """Return the canary of a kind for the route of this number (0..999)."""
        if kind == "card number":
            return _with_check_digit(f"4000{self._run_id}{route:03d}")
        marker = f"cnry{self._run_id}{KINDS[kind]}{route:03d}"
        return f"{marker}@canary.example" if kind == "e-mail" else marker

    def sightings(self, text: str) -> Iterator[Sighting]:
        """Yield every canary that stands in a text."""
        for found in self._pattern.finditer(text):
            letters, number, card = found.groups()
            if card is not None:
                yield Sighting("card number", int(card))
            elif kind := _KIND_OF.get(letters.lower()):
                yield Sighting(kind, int(number))

    def mask(self, text: str) -> str:
        """Return the text with every canary replaced by what it stands for."""

        def named(found: re.Match[str]) -> str:
            letters = found.group(1)
            return f"<{_KIND_OF.get(letters.lower(), 'canary') if letters else 'card number'}>"

        return self._pattern.sub(named, text)

    def likely(self, body: Any, route: int, name: str = "") -> Any:
        """Return a body in which the fields whose names say what they hold hold canaries."""
        if isinstance(body, Mapping):
            return {key: self.likely(value, route, key) for key, value in body.items()}
        if isinstance(body, (list, tuple)):
            return [self.likely(value, route, name) for value in body]
        kind = _kind_of_field(name)
        return self.value(kind, route) if kind and isinstance(body, str) else body

    def unlikely(self, body: Any, route: int) -> dict[str, Any]:
        """Return a body that will be refused, with fields that no one declared."""
        wrong = {key: self.value(_kind_of_field(key) or "name", route) for key in (body or {})}
        undeclared = {kind: self.value(kind, route) for kind in ("password", "token", "name")}
        return {
            **wrong,
            **undeclared,
            "email": self.value("e-mail", route),
            "card": self.value("card number", route),
        }


def _kind_of_field(name: str) -> str | None:
    return next((kind for kind, pattern in _FIELDS if pattern.search(name)), None)


def _with_check_digit(digits: str) -> str:
    """Append the digit that makes a card number pass (ISO/IEC 7812, Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)
