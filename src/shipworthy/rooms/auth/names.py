"""Names of people and organisations, as they may stand in a page, a mail and an invoice."""

from __future__ import annotations

import unicodedata

PERSON_CHARS_MAX = 100
ORGANISATION_CHARS_MAX = 200


def read_name(text: str, *, chars_max: int) -> str | None:
    """Return the name with single spaces, or None when it is empty, too long or holds what no name has."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    # Cc and Cs break mails and databases; Cf turns the reading direction and so forges what stands beside it.
    has_odd = any(unicodedata.category(char) in ("Cc", "Cs", "Cf", "Co", "Cn") for char in name)
    return name if name and len(name) <= chars_max and not has_odd else None
