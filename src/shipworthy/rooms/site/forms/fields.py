"""The fields of a form: their HTML, and what people wrote into them, checked. Pure.

Every field has its label, and a wrong one says why where it stands, to eyes and to readers alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

TRAP = "website"  # a field people do not see; programs fill in whatever there is
SEAL = "seal"
CHANGE = "change"  # the button that goes back from the second step
LIMITS = {"name": 100, "email": 254, "phone": 40, "message": 5_000}
_INPUTS = {"name": ("text", "name"), "email": ("email", "email"), "phone": ("tel", "tel")}
# Source: html.spec.whatwg.org, "valid e-mail address"; nothing in it can end a header or begin another address.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")

Values = Mapping[str, str]


@dataclass(frozen=True)
class Shape:
    """A form as it is shown: where it is sent, in which words, and what it asks for."""

    action: str
    words: Values
    asks_phone: bool
    key: str = "form"  # of this form among those of one page: ids are made of it

    @property
    def names(self) -> Sequence[str]:
        return ("name", "email", "phone", "message") if self.asks_phone else ("name", "email", "message")


@dataclass(frozen=True)
class Filled:
    """What somebody wrote, tidied, and what is wrong with it by field."""

    values: Values = field(default_factory=dict)
    wrong: Values = field(default_factory=dict)


def form_html(shape: Shape, filled: Filled) -> str:
    """Return a form to fill in."""
    rows = "".join(_row(name, shape, filled) for name in shape.names)
    words = shape.words
    trap = f'<p class="trap" aria-hidden="true"><label>{escape(words["trap"])} <input name="{TRAP}" tabindex="-1" autocomplete="off"></label></p>'
    return f'<form class="form" method="post" action="{escape(shape.action)}">{rows}{trap}<p class="action"><button>{escape(words["go_on"])}</button></p></form>'


def review_html(shape: Shape, values: Values, seal: str) -> str:
    """Return what was written, to be sent with one press."""
    words = shape.words
    shown = "".join(
        f"<dt>{escape(words[name])}</dt><dd>{escape(text)}</dd>" for name, text in values.items() if text
    )
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in values.items()
    )
    return (
        f'<dl class="review">{shown}</dl><form class="form" method="post" action="{escape(shape.action)}">{kept}'
        f'<input type="hidden" name="{SEAL}" value="{escape(seal)}">'
        f'<p class="action"><button>{escape(words["send"])}</button> '
        f'<button name="{CHANGE}" value="1" class="quiet">{escape(words["change"])}</button></p></form>'
    )


def checked(sent: Values, shape: Shape) -> Filled:
    values = {name: _tidy(sent.get(name, ""), has_lines=name == "message") for name in shape.names}
    return Filled(
        values, {name: why for name, text in values.items() if (why := _why(name, text, shape.words))}
    )


def is_email(text: str) -> bool:
    return len(text) <= LIMITS["email"] and _EMAIL.fullmatch(text) is not None


def _why(name: str, text: str, words: Values) -> str:
    if not text:
        return "" if name == "phone" else words["empty"]
    if len(text) > LIMITS[name]:
        return words["long"]
    return words["no_email"] if name == "email" and not is_email(text) else ""


def _row(name: str, shape: Shape, filled: Filled) -> str:
    key, value, why = f"{name}-{shape.key}", filled.values.get(name, ""), filled.wrong.get(name, "")
    hint = f' aria-invalid="true" aria-describedby="why-{key}"' if why else ""
    needed = "" if name == "phone" else " required"
    common = f'id="{key}" name="{name}" maxlength="{LIMITS[name]}"{needed}{hint}'
    if name == "message":
        # A line break right after the tag is dropped by browsers: one of ours keeps theirs.
        control = f'<textarea {common} rows="6">\n{escape(value)}</textarea>'
    else:
        kind, complete = _INPUTS[name]
        control = f'<input type="{kind}" {common} autocomplete="{complete}" value="{escape(value)}">'
    said = f'<span class="why" id="why-{key}">{escape(why)}</span>' if why else ""
    return f'<p><label for="{key}">{escape(shape.words[name])}</label>{control}{said}</p>'


def _tidy(text: str, *, has_lines: bool) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return kept.strip() if has_lines else " ".join(kept.split())
