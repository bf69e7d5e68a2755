"""T2: what people confide to the app must not stand in its logs, its errors or its statistics.

Every declared route is sent canaries as password, token, cookie, authorization, card number,
e-mail, name and query string: once where they fit, once where they will be refused (error paths
log the most). Then the instance's logs, its error answers and the texts in pg_stat_statements
are searched. What is found is shown masked.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.asking import is_signed_out
from shipworthy.gauntlet.call import Call, path_parameters, prepare, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import PostgresError
from shipworthy.gauntlet.evidence import clipped, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered, sign_in
from shipworthy.gauntlet.probes.canaries import KINDS, SECRETS, Canaries, Sighting
from shipworthy.gauntlet.subjects import undecided_finding

LOG_BYTES_MAX = 64 * 1024 * 1024  # of what was written meanwhile; more is a defect of another kind
SETTLE_READS_MAX = 20
SETTLE_READ_S = 0.05
SHOWN_MAX = 5
LINE_CHARS_MAX = 600
_STATEMENTS = "select query from pg_stat_statements where query ilike '%' || $1 || '%' limit 50"


@dataclass(frozen=True)
class _Place:
    """Where a canary stood: "web.log:12", "the answer 422", "pg_stat_statements"; `text` is masked."""

    sighting: Sighting
    where: str
    text: str


@dataclass
class _Hunt:
    """One run of canaries through an app."""

    canaries: Canaries
    routes: list[Route]
    sent: int = 0
    refused: int = 0
    found: list[_Place] = field(default_factory=list)
    searched: list[tuple[str, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def look(self, where: str, text: str, kinds: Sequence[str] = tuple(KINDS)) -> None:
        seen = {sighting for sighting in self.canaries.sightings(text) if sighting.kind in kinds}
        masked = clipped(self.canaries.mask(text), LINE_CHARS_MAX) if seen else ""
        self.found += [_Place(sighting, where, masked) for sighting in sorted(seen, key=lambda s: s.route)]


async def canaries_in_logs(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each kind of canary."""
    run_id = f"{secrets.randbelow(10**8):08d}"
    hunt = _Hunt(
        Canaries(run_id), [route for route in exam.manifest.routes if _is_reachable(exam, route)][:1000]
    )
    written = {path: _size(path) for path in exam.handle.log_files}
    await _send_all(exam, hunt)
    if not hunt.sent:
        raise Undecided("No route answered, so nothing could have been logged.")
    await _until_quiet(exam)
    for path in exam.handle.log_files:
        _search_log(hunt, Path(path), after=written.get(path, 0))
    await _search_statements(exam, hunt, run_id)
    return [_judged(exam, hunt, kind) for kind in KINDS if exam.wants(kind)]


def _is_reachable(exam: Exam, route: Route) -> bool:
    """Say whether a route is sent its canaries: one that ends the account would end the examination, too."""
    return route.effect != "end" and (route.host != "site" or exam.can("site"))


async def _send_all(exam: Exam, hunt: _Hunt) -> None:
    """Send every route its canaries, signed in where that is possible."""
    sender = _Sender(exam)
    await _sign_in_wrongly(exam, hunt)
    samples = await exam.samples_for(exam.people[0]) if exam.people else {}
    for number, route in enumerate(hunt.routes):
        exam.view.progress(number, len(hunt.routes), subject_of(route))
        for call in _calls(hunt, route, number, samples):
            with suppress(Unanswered):
                answer = await sender.send(call, route, cookie=hunt.canaries.value("cookie", number))
                hunt.sent += 1
                _look_into(hunt, answer)


async def _sign_in_wrongly(exam: Exam, hunt: _Hunt) -> None:
    """Try to sign in as nobody, in the very form people use, declared among the routes or not."""
    login = exam.manifest.login
    if login is None:
        return
    known = [number for number, route in enumerate(hunt.routes) if subject_of(route) == login.route]
    if not known:
        method, _, path = login.route.partition(" ")
        hunt.routes.append(
            Route(name="login", room="", method=method, path=path, auth="public", example=login.form)
        )
    number = known[0] if known else len(hunt.routes) - 1
    email, password = (hunt.canaries.value(kind, number) for kind in ("e-mail", "password"))
    with suppress(Unanswered):
        answer = await sign_in(exam.anonymous(), login, Credential(email=email, password=password))
        hunt.sent += 1
        _look_into(hunt, answer)


class _Sender:
    """Sends as a signed-in person, in a session of its own that is begun again when a route ended it."""

    def __init__(self, exam: Exam) -> None:
        self._exam = exam
        self._session: HttpSession | None = None

    async def send(self, call: Call, route: Route, *, cookie: str) -> Answer:
        """Errors: Unanswered."""
        session = self._session = self._session or await self._begun()
        session.cookies.set("canary", cookie)
        answer = await call.send(session)
        is_own = "authorization" not in call.headers  # a canary's is refused, whoever's session it is
        if is_own and route.auth == "session" and self._can_sign_in and is_signed_out(answer, self._exam):
            session = self._session = await self._begun()
            session.cookies.set("canary", cookie)
            answer = await call.send(session)
        return answer

    @property
    def _can_sign_in(self) -> bool:
        return self._exam.can("login", "tenants.1")

    async def _begun(self) -> HttpSession:
        if self._can_sign_in:
            with suppress(Undecided):
                return await self._exam.fresh_session(self._exam.people[0])
        return self._exam.anonymous()


def _calls(hunt: _Hunt, route: Route, number: int, samples: dict[str, str]) -> Iterator[Call]:
    """Yield the requests of one route: one that fits as well as may be, and some that do not."""
    canaries = hunt.canaries
    # Nobody confides a token to a route that takes none: there, what is written is only a query string.
    taken = (route.query or {}).get("properties", {})
    kinds = {"q": "query string", "token": "token", "email": "e-mail"}
    query = urlencode(
        {
            name: canaries.value(kind if name in taken else "query string", number)
            for name, kind in kinds.items()
        }
    )
    fitting = _prepared(route, samples)
    headers = {**fitting.headers, "x-api-key": canaries.value("token", number)}
    foreign = {**headers, "authorization": f"Bearer {canaries.value('authorization', number)}"}
    path = f"{fitting.path}{'&' if '?' in fitting.path else '?'}{query}"
    if route.method in ("GET", "HEAD"):
        yield Call(method=route.method, path=path, site=fitting.site, headers=headers)
        yield Call(method=route.method, path=path, site=fitting.site, headers=foreign)
        return
    body = fitting.json_body if fitting.json_body is not None else _of_schema(route)
    for sent in (canaries.likely(body, number), canaries.unlikely(body, number)):
        yield Call(method=route.method, path=fitting.path, site=fitting.site, json_body=sent, headers=headers)
    wrong = canaries.unlikely(body, number)
    yield Call(method=route.method, path=path, site=fitting.site, json_body=[wrong], headers=foreign)


def _prepared(route: Route, samples: dict[str, str]) -> Call:
    try:
        return prepare(route, samples)
    except Undecided:  # a sample found no row: a refusal is worth hearing, too
        path = route.path
        for name in path_parameters(route):
            path = path.replace(f"{{{name}}}", "0")
        return Call(method=route.method, path=path, site=route.host == "site", json_body=route.example)


def _of_schema(route: Route) -> dict[str, str]:
    """Return a body with the texts that a route's schema asks for."""
    schema = route.body or {}
    if named := schema.get("$ref", ""):
        schema = schema.get("$defs", {}).get(named.rpartition("/")[2], {})
    wanted = schema.get("required", schema.get("properties", {}))
    return {key: "" for key in wanted if schema.get("properties", {}).get(key, {}).get("type") == "string"}


def _look_into(hunt: _Hunt, answer: Answer) -> None:
    """Search an error for secrets. A name or an address may be shown again to who has just sent it."""
    if answer.status < 400:
        return
    hunt.refused += 1
    # A page may carry a token on to the next try, hidden in its form.
    kinds = SECRETS if "json" in answer.header("content-type") else ("password", "cookie", "authorization")
    hunt.look(f"the answer {answer.status}", answer.text, kinds)


async def _until_quiet(exam: Exam) -> None:
    """Wait until the logs stand still: a line may be written after its answer was sent."""
    sizes: dict[str, int] = {}
    for _ in range(SETTLE_READS_MAX):
        now = {path: _size(path) for path in exam.handle.log_files}
        if now == sizes:
            return
        sizes = now
        await asyncio.sleep(SETTLE_READ_S)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _search_log(hunt: _Hunt, path: Path, *, after: int) -> None:
    try:
        with path.open("rb") as file:
            before = sum(
                chunk.count(b"\n") for chunk in iter(lambda: file.read(min(2**20, after - file.tell())), b"")
            )
            text = file.read(LOG_BYTES_MAX).decode("utf-8", "replace")
    except OSError as unreadable:
        hunt.unread.append(f"{path.name} ({unreadable.strerror})")
        return
    lines = text.splitlines()
    hunt.searched.append((path.name, f"{len(lines):,} lines"))
    for number, line in enumerate(lines, start=before + 1):
        hunt.look(f"{path.name}:{number}", _decoded(line))


def _decoded(line: str) -> str:
    """Undo the escapes of a JSON line, so that what it says is read as it was meant."""
    try:
        return json.dumps(json.loads(line), ensure_ascii=False) if line.startswith("{") else line
    except ValueError:
        return line


async def _search_statements(exam: Exam, hunt: _Hunt, run_id: str) -> None:
    """Search what the database remembers of statements; a value in there was written into the SQL."""
    way_in = "admin" if exam.can("database.admin") else "app"
    if not exam.can(f"database.{way_in}"):
        return
    try:
        rows = await exam.database(way_in).fetch(_STATEMENTS, run_id)
    except (Undecided, PostgresError) as closed:
        hunt.searched.append(("pg_stat_statements", f"not searched: {closed}"))
        return
    hunt.searched.append(("pg_stat_statements", f"{len(rows)} statements with a canary"))
    for row in rows:
        hunt.look("pg_stat_statements", row["query"])


def _judged(exam: Exam, hunt: _Hunt, kind: str) -> Finding:
    found = [place for place in hunt.found if place.sighting.kind == kind]
    searched = [*hunt.searched, ("error answers", f"{hunt.refused:,} of {hunt.sent:,}")]
    evidence: list[Evidence] = [table_evidence("Searched", ("where", "how much"), searched)]
    measure = Measure(name="canaries found", unit="places", estimate=len(found), bound=0, samples=hunt.sent)
    if not found and hunt.unread:
        why = f"Not every log could be searched: {', '.join(hunt.unread)}."
        return undecided_finding(exam, kind, Undecided(why, fix="Let the examiner's user read them."))
    if not found:
        return exam.finding(
            kind,
            Verdict.PASS,
            f"No {kind} sent in {hunt.sent:,} requests stands in a log or an error",
            severity=Severity.LOW,
            measures=(measure,),
            evidence=tuple(evidence),
        )
    first, route = found[0], hunt.routes[found[0].sighting.route]
    lines = [f"{p.where}  ({subject_of(hunt.routes[p.sighting.route])})\n{p.text}" for p in found[:SHOWN_MAX]]
    evidence.insert(0, Evidence(kind="log", title="Where it stood (masked)", text="\n\n".join(lines)))
    also = sorted({subject_of(hunt.routes[place.sighting.route]) for place in found})
    return exam.finding(
        kind,
        Verdict.FAIL,
        f"A {kind} sent to {subject_of(route)} stands in {first.where}",
        severity=Severity.HIGH if kind in (*SECRETS, "card number") else Severity.MEDIUM,
        cause=f"It was given to {', '.join(also[:SHOWN_MAX])}{' and others' if len(also) > SHOWN_MAX else ''}, and was "
        f"found in {len(found)} {'place' if len(found) == 1 else 'places'}: whoever reads them reads it.",
        fix=_fix(first.where),
        source=route.source,
        measures=(measure,),
        evidence=tuple(evidence),
    )


def _fix(where: str) -> str:
    if where == "pg_stat_statements":
        return "Give the value to the statement as a parameter ($1) instead of writing it into the SQL."
    if where.startswith("the answer"):
        return "Say in the error which field is wrong, and leave out what stood in it."
    return (
        "Log the route and an id instead of the body, the headers or the address with its query; where the line "
        "is the server's own access log, switch that off or give it a format without the query."
    )
