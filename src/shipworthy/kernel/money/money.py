"""`Money`: a whole number of minor units of one currency. Knows neither tax nor text."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.money.currencies import Currency, currency_of

# The largest whole number that every JSON reader keeps exact: a browser holds numbers as
# doubles, and 2**53 is where they begin to skip. It fits PostgreSQL's bigint a thousand times.
AMOUNT_MAX_MINOR = 2**53 - 1


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: `Money(1250, "EUR")` is 12.50 euro. Adding two currencies is refused.

    Errors:  TypeError for anything but a whole number, `money.too_large` beyond
             AMOUNT_MAX_MINOR, `money.currency_unknown`.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        currency_of(self.currency)
        within_bounds(self.amount_minor)

    @property
    def unit(self) -> Currency:
        return currency_of(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same_currency(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same_currency(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def _same_currency(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"Money adds to Money, not to {type(other).__name__}.")
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add; convert one of them first.")
        return other.amount_minor


def within_bounds(amount_minor: int, *, what: str = mark("The amount")) -> int:
    """Return the amount, once it is certain that every place it goes to can hold it exactly.

    Errors:  TypeError for a float, a Decimal or a bool; `money.too_large` beyond AMOUNT_MAX_MINOR.
    """
    if type(amount_minor) is not int:
        raise TypeError(f"An amount is a whole number of minor units, not {type(amount_minor).__name__}.")
    if abs(amount_minor) > AMOUNT_MAX_MINOR:
        said = _("{what} is larger than can be invoiced. Check quantity and price.", what=_(what))
        raise Invalid("money.too_large", said)
    return amount_minor
