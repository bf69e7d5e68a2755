"""What somebody looks for in the list of invoices: read from an address, and said back as one.

An address is typed, shortened and passed on, so everything in it is text until it is read here, and every
part that cannot be read is named.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.money import AMOUNT_MAX_MINOR
from shipworthy.kernel.money.parse import parse_decimal
from shipworthy.kernel.money.rounding import round_minor

STATUSES = (
    mark("draft"),
    mark("open"),
    mark("paid"),
    mark("credited"),
    mark("uncollectible"),
    mark("void"),
)
OVERDUE = mark("overdue")  # no state: what is open after its day
TEXT_CHARS_MAX = 100
_EXPONENTS = range(5)
_LAST_CHARACTER = "\U0010ffff"  # behind every text that goes on, in the order of bytes

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to list. Amounts are in major units of an invoice's own currency; both days are included."""

    status: str | None = None
    text: str = ""
    customer_id: uuid.UUID | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    currency: str | None = None

    @property
    def is_by_status_only(self) -> bool:
        """The list as most see it, which has the quickest queries."""
        return self.status != OVERDUE and not self.is_narrowed

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the status is asked for."""
        return bool(self.text) or any(
            part is not None
            for part in (
                self.customer_id, self.issued_from, self.issued_to, self.amount_min, self.amount_max, self.currency,
            )
        )  # fmt: skip

    @property
    def statuses(self) -> list[str]:
        if self.status is None:
            return list(STATUSES)
        return ["open"] if self.status == OVERDUE else [self.status]

    @property
    def mins_minor(self) -> list[int]:
        """The least amount in minor units, by the exponent of a currency."""
        if self.amount_min is None:
            return [-AMOUNT_MAX_MINOR for _ in _EXPONENTS]
        return [_least(self.amount_min.scaleb(exponent)) for exponent in _EXPONENTS]

    @property
    def maxs_minor(self) -> list[int]:
        if self.amount_max is None:
            return [AMOUNT_MAX_MINOR for _ in _EXPONENTS]
        return [-_least(-self.amount_max.scaleb(exponent)) for exponent in _EXPONENTS]

    @property
    def number_starts(self) -> list[str]:
        """How a number may begin that is looked for: as it was typed, and in other letters."""
        text = self.text
        return list(dict.fromkeys((text, text.upper(), text.lower(), text.title()))) if text else []

    @property
    def number_ends(self) -> list[str]:
        return [start + _LAST_CHARACTER for start in self.number_starts]

    @property
    def seq(self) -> int | None:
        """The number within its series: who types 147 means 2026-00147."""
        is_seq = self.text.isascii() and self.text.isdigit() and len(self.text) <= 12
        return int(self.text) if is_seq else None


def _least(exact: Decimal) -> int:
    """Return the least whole number of minor units that is not below `exact`."""
    whole = round_minor(exact, mode="down")
    return whole + 1 if whole < exact else whole


EVERYTHING = Wanted()


def read_wanted(
    *,
    status: str | None,
    text: str,
    customer_id: str,
    issued_from: str,
    issued_to: str,
    amount_min: str,
    amount_max: str,
    currency: str,
) -> Wanted:
    """Return what an address asks for.

    Errors:  Invalid `invoicing.status_unknown`; Invalid `invoicing.filter_invalid`, naming every part.
    """
    if status is not None and status not in (*STATUSES, OVERDUE):
        known = _("A status is one of {choices}.", choices=", ".join((*STATUSES, OVERDUE)))
        raise Invalid("invoicing.status_unknown", known, fields={"status": known})
    wrong: dict[str, str] = {}
    wanted = Wanted(
        status=status,
        text=" ".join(text.split()),
        customer_id=_read(
            uuid.UUID, customer_id, "customer_id", _("This is not the id of a customer."), wrong
        ),
        issued_from=_read(date.fromisoformat, issued_from, "issued_from", _(_NO_DAY), wrong),
        issued_to=_read(date.fromisoformat, issued_to, "issued_to", _(_NO_DAY), wrong),
        amount_min=_read(parse_decimal, amount_min, "amount_min", _(_NO_AMOUNT), wrong),
        amount_max=_read(parse_decimal, amount_max, "amount_max", _(_NO_AMOUNT), wrong),
        currency=currency.strip().upper() or None,
    )
    if wanted.currency is not None and wanted.currency not in CURRENCIES:
        wrong["currency"] = _("Write the code of a currency, such as EUR.")
    if wrong:
        named = ", ".join(wrong)
        said = _("Some filters need another value: {named}.", named=named)
        raise Invalid("invoicing.filter_invalid", said, fields=wrong)
    return wanted


_NO_DAY = mark("There is no such day; write it like 2026-01-31.")
_NO_AMOUNT = mark("Write digits with at most one point, like 1234.50.")


def _read(
    parse: Callable[[str], Value], text: str, field: str, said: str, wrong: dict[str, str]
) -> Value | None:
    text = text.strip()
    if not text:
        return None
    try:
        return parse(text)
    except (ValueError, Invalid):
        wrong[field] = said
        return None
