"""`Call`: a declared route made into a request with one tenant's own samples.

Owns the substitution of "$sample" and {mark} in bodies and {param} in paths and the idempotency key.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.manifest import Route
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.http import Answer, HttpSession

_MARK = "{mark}"  # for what no two rows may share: each request has its own


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, ready to be sent, any number of times."""

    method: str
    path: str
    site: bool = False
    json_body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, session: HttpSession, *, timeout_s: float = 10.0) -> Answer:
        """Send it. Errors: Unanswered."""
        return await session.request(
            self.method,
            self.path,
            site=self.site,
            json_body=self.json_body,
            headers=self.headers,
            timeout_s=timeout_s,
        )

    def __str__(self) -> str:
        """The request as a person would write it down; no cookie, no secret."""
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        body = [] if self.json_body is None else ["", json.dumps(self.json_body, indent=2)]
        return "\n".join([*lines, *body])


def prepare(route: Route, samples: Mapping[str, str], *, key: str | None = None) -> Call:
    """Return the request of a route, filled with `samples`.

    A route under an idempotency key gets a new one unless `key` is given.
    Errors:  Undecided when the route needs a sample that found no row.
    """
    headers = {"accept": "text/html" if route.media == "html" else "application/json"}
    if route.media == "file":
        headers = {"accept": "*/*"}
    if route.idempotency == "key":
        headers["idempotency-key"] = key or str(uuid.uuid4())
    headers |= filled(route.headers, samples)
    body = None if route.method in ("GET", "HEAD") else filled(route.example, samples)
    path = route.path
    for name in path_parameters(route):
        path = path.replace(f"{{{name}}}", _sample(samples, route.params.get(name, name)))
    return Call(method=route.method, path=path, site=route.host == "site", json_body=body, headers=headers)


def filled(value: Any, samples: Mapping[str, str]) -> Any:
    """Return a copy of a JSON value in which every "$name" is that sample, and every {mark} a word of its own.

    Errors:  Undecided when one found no row.
    """
    if isinstance(value, Mapping):
        return {key: filled(item, samples) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(item, samples) for item in value]
    if isinstance(value, str) and value[:1] == "$" and value[1:].isidentifier():
        return _sample(samples, value[1:])
    if isinstance(value, str) and _MARK in value:
        return value.replace(_MARK, secrets.token_hex(6))
    return value


def samples_in(value: Any) -> set[str]:
    """Return the names of the samples a JSON value refers to."""
    if isinstance(value, Mapping):
        return set().union(*(samples_in(item) for item in value.values()), set())
    if isinstance(value, (list, tuple)):
        return set().union(*(samples_in(item) for item in value), set())
    is_reference = isinstance(value, str) and value[:1] == "$" and value[1:].isidentifier()
    return {value[1:]} if is_reference else set()


def path_parameters(route: Route) -> list[str]:
    """Return the names in braces of a route's path, in order."""
    return [piece.partition("}")[0] for piece in route.path.split("{")[1:]]


def samples_of(route: Route) -> set[str]:
    """Return the names of all samples a route's request is made from."""
    in_path = {route.params.get(name, name) for name in path_parameters(route)}
    return in_path | samples_in(route.example) | samples_in(route.headers)


def subject_of(route: Route) -> str:
    """Return how findings name a route: "GET /invoices/{invoice_id}"."""
    return f"{route.method} {route.path}"


def _sample(samples: Mapping[str, str], name: str) -> str:
    try:
        return samples[name]
    except KeyError:
        raise Undecided(
            f"The sample {name!r} gave no value in this tenant's data.",
            fix=f"Let the seed write what the sample {name!r} looks for, or declare the sample.",
        ) from None
