"""What a visitor reads of a page: its forms, with what is filled in already. Standard library only."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form of a page: where it goes and what its fields hold (hidden ones and CSRF tokens too)."""

    action: str = ""
    method: str = "GET"
    fields: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)  # the fields that take a password


def forms_of(html: str) -> list[Form]:
    """Return the forms of a page in their order; what is no HTML has none."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.forms


def filled_in(html: str, wanted: Collection[str]) -> dict[str, str]:
    """Return what the first form with these fields holds already, a CSRF token among it; nothing where none has them."""
    fitting = (form.fields for form in forms_of(html) if set(wanted) <= form.fields.keys())
    return next(fitting, {})


def pkce_pair() -> tuple[str, str]:
    """Return a verifier and its S256 challenge. Source: RFC 7636, 4.1 and 4.2."""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._is_inside = False
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(named.get("action", ""), named.get("method", "get").upper()))
            self._is_inside = True
        elif not self._is_inside:
            return
        elif tag == "input" and named.get("name"):
            kind = named.get("type", "text").lower()
            if kind not in ("checkbox", "radio", "submit", "button", "file") or "checked" in named:
                self.forms[-1].fields[named["name"]] = named.get("value", "")
            if kind == "password":
                self.forms[-1].secrets.add(named["name"])
        elif tag == "select":
            self._select = named.get("name", "")
        elif tag == "option" and self._select:
            chosen = self.forms[-1].fields
            if "selected" in named or self._select not in chosen:
                chosen[self._select] = named.get("value", "")
        elif tag == "textarea":
            self._textarea = named.get("name", "")
            self.forms[-1].fields[self._textarea] = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""
