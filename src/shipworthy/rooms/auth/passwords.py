"""What a password must be: long, not common, not made of what others know about its owner.

No composition rules and no expiry (NIST SP 800-63B; OWASP ASVS 5, V6.2). Normalised to NFKC before
hashing, so that the same keys make the same password on every keyboard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from shipworthy.kernel.language import _
from shipworthy.rooms.auth.breached import breached

CHARS_MAX = 256
_DISTINCT_MIN = 5
_OWN_LETTERS_MIN = 5  # what must be left when the words others know are taken out
_WORD_CHARS_MIN = 3
_KEYBOARD = ("qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü", "azertyuiop", "1234567890-=")
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def normalised(password: str) -> str:
    """Return the form that is hashed; empty, which matches nothing, when it is longer than any we took."""
    return unicodedata.normalize("NFKC", password) if len(password) <= CHARS_MAX else ""


def password_problem(password: str, *, chars_min: int, known_words: Iterable[str]) -> str | None:
    """Return what is wrong with a new password, in one sentence for its owner, or None.

    `known_words` are what others know: the name, the address, the organisation, the app.
    """
    text = normalised(password).lower()
    has_odd = "\x00" in password or any(unicodedata.category(char) == "Cs" for char in password)
    is_regular = len(set(text)) < _DISTINCT_MIN or _is_repeated(text) or _is_run(text)
    problems = (
        (has_odd, _("Leave out the characters that no keyboard makes.")),
        (len(password) > CHARS_MAX, _("Use at most {count} characters.", count=CHARS_MAX)),
        (
            len(text) < chars_min,
            _("Use at least {count} characters; a few words you can remember are best.", count=chars_min),
        ),
        (is_common(password), _("Many people use this password, so it is tried first. Choose another.")),
        (is_regular, _("Use something less regular; a few words you can remember are best.")),
        (
            _is_made_of(text, known_words),
            _("Leave out your name, address and organisation; they are tried first."),
        ),
    )
    return next((sentence for applies, sentence in problems if applies), None)


def is_common(password: str) -> bool:
    """Whether many people use it, with whatever digits around it: it is tried first."""
    text = normalised(password).lower()
    return text in breached() or _EDGES.sub("", text) in breached()


def _is_repeated(text: str) -> bool:
    return text in (text + text)[1:-1]


def _is_run(text: str) -> bool:
    """Whether it mostly walks along the alphabet, the digits or a row of keys."""
    rows = [*_KEYBOARD, *(row[::-1] for row in _KEYBOARD)]
    steps = [
        abs(ord(second) - ord(first)) <= 1 or any(first + second in row for row in rows)
        for first, second in pairwise(text)
    ]
    return sum(steps) > 0.75 * len(steps)


def _is_made_of(text: str, known_words: Iterable[str]) -> bool:
    words = {part for word in known_words for part in re.split(r"[\W_]+", word.lower())}
    left = text
    for word in sorted((w for w in words if len(w) >= _WORD_CHARS_MIN), key=len, reverse=True):
        left = left.replace(word, " ")
    return left != text and sum(char.isalpha() for char in left) < _OWN_LETTERS_MIN
