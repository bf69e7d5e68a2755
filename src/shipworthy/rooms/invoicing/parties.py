"""What is checked alike of everybody an invoice names: seller and buyer, and how they are reached."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.countries import COUNTRIES
from shipworthy.rooms.invoicing.lines import read_text

# Deliberately loose: the only proof of an address is a mail that arrives.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_LINE_BREAK = re.compile(r"[\t\r\n]")


def read_party(
    text: object, *, chars_max: Mapping[str, int], needed: tuple[str, ...], wrong: dict[str, str]
) -> dict[str, str]:
    """Return the named fields of `text` without outer blanks; what is wrong with them is added to `wrong`."""
    clean = {
        field: read_text(getattr(text, field), field, wrong, chars_max=most, needed=field in needed)
        for field, most in chars_max.items()
    }
    clean["country"] = clean["country"].upper()
    for field, value in clean.items():
        if _LINE_BREAK.search(value):
            wrong.setdefault(field, _("This fits on one line only."))
    if clean["email"] and not _EMAIL.fullmatch(clean["email"]):
        wrong.setdefault("email", _("This does not look like an e-mail address, e.g. office@example.com."))
    if clean["country"] and clean["country"] not in COUNTRIES:
        wrong.setdefault("country", _("Write the two letters of the country, such as DE."))
    return clean
