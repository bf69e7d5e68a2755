"""Whether a VAT number can be one: its country's length, letters and check digits. Offline, pure."""

from __future__ import annotations

import re
from typing import Literal

from stdnum.eu import vat

_SPACING = re.compile(r"[\s.\-]")
Form = Literal["none", "right", "wrong", "unknown"]


def compact(text: str) -> str:
    """Return a VAT number as it is compared: without spacing, in capitals."""
    return _SPACING.sub("", text).upper()


def form_of(tax_id: str) -> Form:
    """Return whether a compact VAT number is `right` or `wrong` in form; `unknown` for countries outside the EU."""
    if not tax_id:
        return "none"
    if tax_id[:2].lower() not in {*vat.MEMBER_STATES, "el", "xi"}:
        return "unknown"
    return "right" if vat.is_valid(tax_id) else "wrong"
