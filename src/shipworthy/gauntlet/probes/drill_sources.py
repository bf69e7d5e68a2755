"""Making work for a job: things it can be triggered for, as many as a drill needs.

A job's `triggered_by` route usually takes the id of the thing in its path. The route of the same
room that creates such things is found by what it answers: a field of that parameter's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipworthy.contract.manifest import Job, Route
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.asking import ask_route
from shipworthy.gauntlet.call import Call, path_parameters, prepare, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.keyed import is_reachable


class NotDrillable(Exception):
    """The job cannot be triggered for things that can be told apart: NOT MEASURED. The message says why."""

    def __init__(self, why: str, *, fix: str) -> None:
        self.why, self.fix = why, fix
        super().__init__(why)


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A request that makes the app queue one job. `source` is empty when the answer will name it."""

    call: Call
    source: str


class Sources:
    """Makes triggers of one job for one person."""

    def __init__(self, exam: Exam, job: Job, person: Credential) -> None:
        self._exam, self._person = exam, person
        self.route = _route_named(exam, job)
        self._column = job.source_column or ""
        self._parameter = _own_parameter(self.route, self._column)
        self._maker: Route | None = None

    async def make(self, number: int) -> list[Trigger]:
        """Return so many triggers, each for a thing of its own.

        Errors:  NotDrillable when no route makes things to trigger the job for; Undecided when the one
                 that does refuses.
        """
        samples = await self._exam.samples_for(self._person)
        return [await self._one(samples) for _ in range(number)]

    def source_of(self, trigger: Trigger, answer: Answer) -> str:
        """Return the id the job works for: known before, or named by the answer.

        Errors:  NotDrillable when it is neither.
        """
        source = trigger.source or _named_in(answer, self._column)
        if not source:
            raise NotDrillable(
                f"The answer of {subject_of(self.route)} does not name {self._column}, so what is done for one "
                "request cannot be told from what is done for another.",
                fix=f"Answer {self._column}, or have the job triggered by a route that has it in its path.",
            )
        return source

    async def _one(self, samples: Mapping[str, str]) -> Trigger:
        if self._parameter is None:
            return Trigger(call=prepare(self.route, samples), source="")
        source = await self._new_source(samples)
        name = self.route.params.get(self._parameter, self._parameter)
        return Trigger(call=prepare(self.route, {**samples, name: source}), source=source)

    async def _new_source(self, samples: Mapping[str, str]) -> str:
        """Make a thing to trigger the job for, by the first route whose answer names one."""
        makers = [self._maker] if self._maker else _makers(self._exam, self.route)
        for maker in makers:
            source, answer, call = await self._made(maker, samples)
            if source:
                self._maker = maker
                return source
        if self._maker:
            raise Undecided(
                f"{subject_of(self._maker)} answered {answer.status} without {self._parameter}, so there is nothing "
                "to trigger the job for.",
                evidence=(request_evidence(call), answer_evidence(answer)),
            )
        tried = ", ".join(subject_of(maker) for maker in makers)
        raise NotDrillable(
            f"No route of the room makes a {self._parameter} to trigger the job for"
            f"{f': tried {tried}' if tried else ''}.",
            fix=f'Declare effect = "create" and an example on the route that creates it, and answer {self._parameter}.',
        )

    async def _made(self, maker: Route, samples: Mapping[str, str]) -> tuple[str, Answer, Call]:
        call = prepare(maker, samples)
        answer = await ask_route(self._exam, call, self._person if maker.auth == "session" else None)
        found = _named_in(answer, self._parameter or "") if answer.status in maker.statuses else ""
        return found, answer, call


def _route_named(exam: Exam, job: Job) -> Route:
    for route in exam.manifest.routes:
        if job.triggered_by in (subject_of(route), route.name):
            return route
    raise Undecided(f"The job is triggered by {job.triggered_by!r}, which is no declared route.")


def _own_parameter(route: Route, column: str) -> str | None:
    """Return the path parameter that names what the job works for: the column's name, else the last."""
    names = path_parameters(route)
    return column if column in names else names[-1] if names else None


def _makers(exam: Exam, trigger: Route) -> list[Route]:
    able = [
        route
        for route in exam.manifest.routes
        if route.effect == "create"
        and route.room == trigger.room
        and route.media == "json"
        and is_reachable(exam, route)
    ]
    return sorted(able, key=lambda route: route.idempotency != "key")


def _named_in(answer: Answer, name: str) -> str:
    try:
        document = answer.json
    except Undecided:
        return ""
    value = document.get(name) if isinstance(document, dict) else None
    return str(value) if isinstance(value, (str, int)) else ""
