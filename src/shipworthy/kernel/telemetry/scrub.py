"""One scrubber for everything that leaves by telemetry: lines of a log, exceptions, spans and their events.

First by what a field is: names that routes and rooms declare personal are replaced by a pseudonym that stays the
same within an installation, names that say "secret" by nothing. Then by what stands in a text: addresses, tokens,
card numbers and accounts, each found by a pattern that looks at each character a bounded number of times. Ids and
times are not taken for card numbers: those have an issuer's first digits, a length and a check digit.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

TEXT_CHARS_MAX = 8_000
_DEPTH_MAX = 6  # of what is nested: a log line is not a document
_SECRET = re.compile(r"pass|secret|token|cookie|authorization|otp\b|api_?key|(?:^|_)key$", re.IGNORECASE)
# \b and the look-behind keep a long run of letters from being tried from each of its places.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24}|localhost)")
_TOKEN = re.compile(
    r"(?<![\w-])(?:(bearer|basic)\s+[\w.~+/=-]{8,4000}|eyJ[\w-]{8,4000}\.[\w-]{2,4000}(?:\.[\w-]{0,4000})?)",
    re.IGNORECASE,
)
_QUERY = re.compile(
    r"([?&](?:[\w-]{0,40}(?:pass|secret|token|key|code|email)[\w-]{0,40})=)[^&\s\"']{1,2000}", re.IGNORECASE
)
_CARD = re.compile(r"(?<![\w.-])(?:3[47]|4|5[1-5]|2[2-7]|6(?:011|5))(?:[ -]?\d){11,18}(?![\w.-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?!\w)")


class Scrubber:
    """Knows which fields are personal. `key` makes pseudonyms that nobody without it can link."""

    def __init__(self, *, personal: Iterable[str] = (), key: bytes = b"") -> None:
        self._personal = frozenset(name.rpartition(".")[2].lower() for name in personal)
        self._key = key

    def field(self, name: str, value: Any) -> Any:
        """Return what may be told of a field; None for a secret."""
        if _SECRET.search(name):
            return None
        if name.lower() in self._personal and value not in (None, ""):
            return self._pseudonym(value)
        return self.value(value)

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return a value with its texts scrubbed, however deep they stand."""
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEPTH_MAX and isinstance(value, (Mapping, list, tuple, set)):
            return "…"
        if isinstance(value, Mapping):
            told = {
                str(name): self.field(str(name), one) for name, one in value.items() if not _is_nested(one)
            }
            deep = {
                str(name): self.value(one, depth + 1)
                for name, one in value.items()
                if _is_nested(one) and not _SECRET.search(str(name))
            }
            return {name: one for name, one in (told | deep).items() if one is not None}
        if isinstance(value, (list, tuple, set)):
            return [self.value(one, depth + 1) for one in value]
        if isinstance(value, (bytes, bytearray)):
            return f"{len(value)} bytes"
        return value if isinstance(value, (int, float, bool)) or value is None else self.text(str(value))

    def text(self, text: str) -> str:
        """Return a text bounded in length, without what its patterns give away. Cost: about 5 µs for a line."""
        text = text[:TEXT_CHARS_MAX]
        if "@" in text:
            text = _EMAIL.sub(r"…@\1", text)
        if "eyJ" in text or "earer " in text or "asic " in text:
            text = _TOKEN.sub(r"\1 …", text)
        if "=" in text and ("?" in text or "&" in text):
            text = _QUERY.sub(r"\1…", text)
        text = _CARD.sub(_unless_no_card, text)
        return _IBAN.sub(_unless_no_account, text)[:TEXT_CHARS_MAX]

    def _pseudonym(self, value: Any) -> str:
        digest = hmac.new(self._key, str(value).strip().lower().encode(), hashlib.sha256).hexdigest()
        return f"~{digest[:12]}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple, set))


def _unless_no_card(found: re.Match[str]) -> str:
    """ISO/IEC 7812: a number as long as its issuer makes them, with the check digit of Luhn."""
    digits = [int(character) for character in found.group() if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    lengths = (15,) if digits[0] == 3 else (16, 19) if digits[0] in (4, 6) else (16,)
    is_card = len(digits) in lengths and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return "…card…" if is_card else found.group()


def _unless_no_account(found: re.Match[str]) -> str:
    """ISO 13616: the check digits of an IBAN make its number, letters counted from 10, leave 1 by 97."""
    account = found.group().replace(" ", "")
    number = "".join(str(int(character, 36)) for character in account[4:] + account[:4])
    return "…account…" if 15 <= len(account) <= 34 and int(number) % 97 == 1 else found.group()
