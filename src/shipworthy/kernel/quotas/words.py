"""Amounts of a meter as people read them."""

from __future__ import annotations

from decimal import Decimal

from shipworthy.kernel.language import _n, spoken
from shipworthy.kernel.money.format import format_decimal
from shipworthy.kernel.quotas.meters import Meter

_BYTES = ("B", "kB", "MB", "GB", "TB")


def amount_text(meter: Meter, amount: int) -> str:
    """Return an amount in its unit, short: `1.5 GB`, `12.4 min`, `1,320 mails`."""
    if meter.unit == "ms":
        return (
            f"{_short(Decimal(amount) / 60_000)} min"
            if amount >= 60_000
            else f"{_short(Decimal(amount) / 1000)} s"
        )
    if meter.unit == "bytes":
        value, step = Decimal(amount), 0
        while value >= 1024 and step < len(_BYTES) - 1:
            value, step = value / 1024, step + 1
        return f"{_short(value)} {_BYTES[step]}"
    return _n(
        "{number} mail", "{number} mails", amount, number=format_decimal(Decimal(amount), locale=spoken())
    )


def _short(value: Decimal) -> str:
    """At most one digit behind the point, none where it says nothing."""
    rounded = value.quantize(Decimal("0.1")) if value < 100 else value.quantize(Decimal(1))
    return format_decimal(
        rounded.normalize() if rounded == rounded.to_integral() else rounded, locale=spoken()
    )
