"""Turning a step of a journey into the bytes of a request.

Owns the placeholders {user.email} {user.password} {uuid} {n} {sample.NAME} {last.FIELD} and
how each is escaped where it stands: in the path, in JSON, in a form, in a header.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from shipworthy.contract.manifest import Step
from shipworthy.gauntlet.load.plan import Address, LoadUser, PlanRefused

_PLACEHOLDER = re.compile(r"\{(user\.email|user\.password|uuid|n|sample\.\w+|last\.[\w.]+)\}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1

Escape = Callable[[str], str]


class FieldMissing(Exception):
    """The previous answer has no such field, or none that may stand there: the request cannot be made."""


class Request:
    """One step as one user sends it; ready bytes where nothing in it changes.

    Also the client's `Traits` of such a request.
    """

    wants_headers = False

    __slots__ = (
        "_body",
        "_cookie_version",
        "_head",
        "_media",
        "_path",
        "_ready",
        "expected",
        "is_head",
        "is_measured",
        "is_safe",
        "step",
        "wants_body",
    )

    def __init__(
        self, step: Step, *, address: Address, user: LoadUser | None, wants_body: bool = False
    ) -> None:
        self.step, self.wants_body = step, wants_body
        self.is_measured, self.expected = step.measured, frozenset(step.expect)
        self.is_safe = step.method.upper() in _SAFE_METHODS
        self.is_head = step.method.upper() == "HEAD"
        self._path = _Text(step.path, escape=lambda value: quote(value, safe=""), user=user)
        self._media, body, escape = _body_of(step)
        self._body = None if body is None else _Text(body, escape=escape, user=user)
        self._head = _Text(_headers(step, address), escape=_header_value, user=user)
        self._ready = b""
        self._cookie_version = -1

    def render(self, n: int, last: Any, cookies: str, cookie_version: int) -> bytes:
        """Return the request's bytes.

        Errors:  FieldMissing when a {last.FIELD} is not in the previous answer.
        """
        if self._ready and self._cookie_version == cookie_version:
            return self._ready
        values = _Values(n, last)
        body = b"" if self._body is None else self._body.fill(values).encode()
        try:
            headers = self._head.fill(values)
        except PlanRefused as refused:  # a line break that came from an answer is the answer's fault
            raise FieldMissing(str(refused)) from None
        head = f"{self.step.method.upper()} {self._path.fill(values)} HTTP/1.1\r\n{headers}"
        if cookies:
            head += f"Cookie: {cookies}\r\n"
        if self._body is not None:
            head += f"Content-Type: {self._media}\r\n"
        if body or not self.is_safe:
            head += f"Content-Length: {len(body)}\r\n"
        rendered = f"{head}\r\n".encode() + body
        if not values.used:
            self._ready, self._cookie_version = rendered, cookie_version
        return rendered


def requests_of(
    steps: Sequence[Step], *, addresses: Mapping[str, Address], user: LoadUser | None
) -> tuple[Request, ...]:
    """Return a journey's requests; a body is kept only where the following step reads a field of it.

    Errors:  PlanRefused when a step uses something of the user that there is not.
    """
    reads_last = ["{last." in json.dumps([s.path, s.json, s.form, s.headers]) for s in steps]
    return tuple(
        Request(step, address=addresses[step.host], user=user, wants_body=wants_body)
        for step, wants_body in zip(steps, [*reads_last[1:], False], strict=True)
    )


def _headers(step: Step, address: Address) -> str:
    headers = {"Host": address.authority, "User-Agent": "shipworthy-gauntlet", "Accept": "*/*"}
    if step.method.upper() not in _SAFE_METHODS:
        headers["Origin"] = address.origin  # what a browser sends, and what CSRF checks ask for
    chosen = {name.lower() for name in step.headers}
    merged = {name: value for name, value in headers.items() if name.lower() not in chosen} | step.headers
    return "".join(f"{name}: {_header_value(value)}\r\n" for name, value in merged.items())


def _header_value(value: str) -> str:
    if "\r" in value or "\n" in value:
        raise PlanRefused(f"a header value may not hold a line break: {value!r}")
    return value


def _body_of(step: Step) -> tuple[str, str | None, Escape]:
    if step.json is not None:
        return "application/json", json.dumps(step.json), lambda value: json.dumps(value)[1:-1]
    if step.form is not None:
        # The braces stay, so that the placeholders can still be found.
        pairs = (f"{quote_plus(name)}={quote_plus(value, safe='{}')}" for name, value in step.form.items())
        return "application/x-www-form-urlencoded", "&".join(pairs), quote_plus
    return "", None, str


class _Text:
    """Text with placeholders; those of the user are filled in once."""

    __slots__ = ("_parts",)

    def __init__(self, text: str, *, escape: Escape, user: LoadUser | None) -> None:
        self._parts: list[tuple[str, str, Escape]] = []  # (literal, placeholder after it, its escape)
        literal, end = "", 0
        for found in _PLACEHOLDER.finditer(text):
            literal += text[end : found.start()]
            end = found.end()
            name = found[1]
            if name.startswith(("user.", "sample.")):
                literal += escape(_of_user(name, user))
            else:
                self._parts.append((literal, name, escape))
                literal = ""
        self._parts.append((literal + text[end:], "", escape))

    def fill(self, values: _Values) -> str:
        if len(self._parts) == 1:
            return self._parts[0][0]
        return "".join(
            literal + (escape(values.get(name)) if name else "") for literal, name, escape in self._parts
        )


class _Values:
    """What changes from one arrival to the next; {uuid} is one value throughout a request."""

    __slots__ = ("_last", "_n", "_uuid", "used")

    def __init__(self, n: int, last: Any) -> None:
        self._n, self._last, self._uuid, self.used = n, last, "", False

    def get(self, name: str) -> str:
        self.used = True
        if name == "n":
            return str(self._n)
        if name == "uuid":
            self._uuid = self._uuid or str(uuid.uuid4())
            return self._uuid
        return _field(self._last, name.removeprefix("last."))


def _of_user(name: str, user: LoadUser | None) -> str:
    if user is None:
        raise PlanRefused(f"a step uses {{{name}}} and the plan has no user")
    if name == "user.email":
        return user.credential.email
    if name == "user.password":
        return user.credential.password
    sample = name.removeprefix("sample.")
    if sample not in user.samples:
        raise PlanRefused(f"a step uses {{{name}}} and {user.credential.email} has no sample {sample!r}")
    return user.samples[sample]


def _field(answer: Any, path: str) -> str:
    for key in path.split("."):
        if isinstance(answer, Mapping) and key in answer:
            answer = answer[key]
        elif isinstance(answer, list) and key.isdigit() and int(key) < len(answer):
            answer = answer[int(key)]
        else:
            raise FieldMissing(path)
    return answer if isinstance(answer, str) else json.dumps(answer)
