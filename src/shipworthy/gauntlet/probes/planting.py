"""Giving two tenants something of their own, by the routes that make things, where no seed has.

A stranger's gauntlet.toml names two people and seldom what stands in their data. What each makes
through a declared route holds a marker nobody else has, and the id in its answer is theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import path_parameters, prepare, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer


async def with_marker(exam: Exam, person: Credential) -> Credential:
    """Return the person with a marker that stands in their data: the declared one, or one planted now.

    Without a route that takes it their e-mail address is what stands in nobody else's: many a page greets its
    reader by it. Ids of what was made become samples of theirs.
    """
    if person.marker:
        return person
    marker = f"twin{secrets.token_hex(6)}"
    is_planted = False
    for route in exam.manifest.routes:
        if _makes(exam, route):
            is_planted |= await _plant(exam, route, person, marker)
    own = person.email if "@" in person.email else ""  # a bare name may stand in any text
    return replace(person, marker=marker if is_planted else own)


def _makes(exam: Exam, route: Route) -> bool:
    login = exam.manifest.login
    is_login = login is not None and subject_of(route) == login.route
    return route.method == "POST" and bool(route.example) and route.auth == "session" and not is_login


async def _plant(exam: Exam, route: Route, person: Credential, marker: str) -> bool:
    """Send the route's example with the marker in its texts until it is taken."""
    with suppress(Undecided):
        samples = await exam.samples_for(person)
        call = prepare(route, samples)
        for body in _marked(call.json_body, marker):
            answer = await ask_route(exam, replace(call, json_body=body), person)
            if answer.status in route.statuses:
                _learn(exam, route, person, answer)
                return True
    return False


def _marked(example: dict[str, Any], marker: str) -> Iterator[dict[str, Any]]:
    """Yield the example with the marker in all its texts, then in one at a time: some take certain words only."""
    texts = [name for name, value in example.items() if isinstance(value, str) and "@" not in value]
    yield {**example, **dict.fromkeys(texts, marker)}
    if len(texts) > 1:
        yield from ({**example, name: marker} for name in texts)


def _learn(exam: Exam, route: Route, person: Credential, answer: Answer) -> None:
    """Take the id of what was made for the parameter of the routes below: /notes -> /notes/{id}."""
    try:
        made = answer.json
    except Undecided:
        return
    if not isinstance(made, dict):
        return
    for other in exam.manifest.routes:
        names = path_parameters(other)
        if len(names) == 1 and other.path.partition("/{")[0] == route.path:
            value = made.get(names[0], made.get("id"))
            if isinstance(value, (str, int)):
                exam.learn(person, other.params.get(names[0], names[0]), str(value))
