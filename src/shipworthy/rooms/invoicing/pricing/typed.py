"""Discounts and charges as people type them in a form: `10%`, `12.50`, and with a plus, `+4.90`, a charge."""

from __future__ import annotations

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.parse import parse_minor, parse_rate_bp
from shipworthy.rooms.invoicing.pricing.changes import Change, LineChange


def read_change(
    typed: str,
    reason: str,
    *,
    currency: str,
    field: str,
    wrong: dict[str, str],
    tax: tuple[str, int] | None = None,
    tax_code: str | None = None,
) -> Change | None:
    """Return the change that was typed; None where nothing was, or where it is wrong, which is added to `wrong`."""
    text = typed.strip()
    is_charge = text.startswith("+")
    number = text.removeprefix("+").strip()
    if not text and not reason.strip():
        return None
    percent_bp = amount_minor = None
    if number.startswith("-"):
        wrong[field] = _("Write it without a minus: 5.00 is a discount, +5.00 a surcharge.")
        return None
    try:
        if number.endswith("%"):
            percent_bp = parse_rate_bp(number.removesuffix("%"), field=field)
        elif currency in CURRENCIES:
            amount_minor = parse_minor(number, currency=currency, field=field)
        else:
            return None  # the currency is refused by itself; without it no amount can be read
    except Invalid as refused:
        wrong[field] = refused.message
        return None
    category, rate_bp = tax or (None, None)
    return Change(
        kind="charge" if is_charge else "discount",
        reason=reason,
        percent_bp=percent_bp,
        amount_minor=amount_minor,
        tax_category=category,
        tax_rate_bp=rate_bp,
        tax_code=tax_code,
    )


def type_change(change: Change | LineChange | None, *, exponent: int) -> str:
    """Return a change as it is typed, every digit of it: the form takes it back as the same change."""
    if change is None:
        return ""
    sign = "+" if change.kind == "charge" else ""
    if change.percent_bp is not None:
        whole, hundredths = divmod(change.percent_bp, 100)
        decimals = f".{hundredths:02d}".rstrip("0") if hundredths else ""
        return f"{sign}{whole}{decimals}%"
    amount = f"{abs(change.amount_minor or 0):0{exponent + 1}d}"
    cut = len(amount) - exponent
    return f"{sign}{amount[:cut]}{'.' if exponent else ''}{amount[cut:]}"
