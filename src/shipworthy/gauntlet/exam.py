"""`Exam`: everything a check may use on one running instance.

Owns the signed-in sessions, the ways into the database, the samples of each tenant, what a
run collects besides findings, and the list of what must be healed. Knows no check.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from shipworthy.contract.finding import Distribution, Finding, GateErrorRates, Series
from shipworthy.contract.manifest import Manifest, Sample
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.capabilities import present
from shipworthy.gauntlet.check import Mode, Undecided
from shipworthy.gauntlet.db import Database
from shipworthy.gauntlet.faults.lease import Lease, Leases
from shipworthy.gauntlet.faults.undo import Undo
from shipworthy.gauntlet.http import Hearing, HttpSession, Unanswered, sign_in
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.politeness import Turns
from shipworthy.gauntlet.proxy.proxies import Proxies, Proxy
from shipworthy.gauntlet.samples import SampleSource
from shipworthy.gauntlet.snapshot import Seen
from shipworthy.gauntlet.view import QUIET, View

# Three requests in a row without an answer, and the app itself is asked whether it is there.
SILENT_MAX = 3
SILENCE_S_MAX = 20.0  # longer than a restart takes, and than a garbage collector stops anything
_KNOCK_S = 5.0

Heal = Callable[[], Awaitable[None]]
Found = TypeVar("Found")


class Instance(Protocol):
    """A running instance as its adapter holds it."""

    @property
    def handle(self) -> Handle:
        """Where everything is now: process ids change when a supervisor restarts something."""

    def died(self) -> str:
        """Why the instance is gone, in one sentence; empty while it runs."""


class Exam:
    """One run's access to one instance. Checks run one after the other and share it."""

    def __init__(
        self,
        target: Target,
        instance: Instance,
        *,
        mode: Mode = "quick",
        view: View = QUIET,
        provider: Stub | None = None,
        proxies: Proxies | None = None,
        folder: Path | None = None,
    ) -> None:
        self.target, self.instance, self.mode, self.view = target, instance, mode, view
        self.manifest: Manifest = target.manifest
        self.provider = provider  # the one the app signs people in through, if it declares any
        self.proxies = proxies  # between the app and what it needs, if a planned check needs any
        self.folder = folder  # where the report goes, and what is kept beside it
        self._found: dict[str, Any] = {}
        self.capabilities = present(target, instance.handle) | {f"proxy.{name}" for name in self._fronted()}
        self.planned: PlannedCheck | None = None  # the one that runs now
        self.told: list[Finding] = []  # what it has answered so far
        self.series: list[Series] = []
        self.distributions: list[Distribution] = []
        self.error_rates: list[GateErrorRates] = []
        self.seen: Seen = {}  # how the app asks its database, for `gauntlet accept`
        self.notes: list[str] = []
        self.invalid_because: list[str] = []
        # On another machine every request of this run waits for its turn; here nothing does.
        self.turns = Turns() if instance.handle.addresses else None
        self._hearing, self._silence = Hearing(), ""
        self._sessions: dict[str, HttpSession] = {}
        self._opened: list[HttpSession] = []
        self._source = SampleSource(self.notes)
        self._samples: dict[str, dict[str, str]] = {}
        self._learnt: dict[str, dict[str, str]] = {}
        self._healing: list[tuple[str, Heal]] = []
        self._leases = Leases()

    @property
    def handle(self) -> Handle:
        """The handle as it is now."""
        return self.instance.handle

    @property
    def people(self) -> tuple[Credential, ...]:
        """Who can sign in, one person of each tenant, the first tenant's first."""
        one_each: dict[str, Credential] = {}
        for person in self.handle.tenants or self.target.credentials:
            one_each.setdefault(person.tenant_id or person.tenant or person.marker or person.email, person)
        return tuple(one_each.values())

    @property
    def samples_declared(self) -> frozenset[str]:
        return frozenset(sample.name for sample in self.manifest.samples)

    def begin(self, planned: PlannedCheck) -> None:
        """Turn to the next check."""
        self.planned, self.told = planned, []

    def wants(self, subject: str) -> bool:
        """Say whether the running check was asked about this subject: all, unless --only named one."""
        return self.planned is None or self.planned.subject in (None, subject)

    def finding(self, subject: str, verdict: Verdict, title: str, **facts: Any) -> Finding:
        """Return a finding of the running check, with its stage, severity and playbook ids."""
        assert self.planned is not None, "findings belong to a running check"
        return self.planned.check.finding(subject, verdict, title, **facts)

    def tell(self, finding: Finding) -> None:
        """Keep a finding at once, so that it outlives a crash or a timeout of its check."""
        assert self.planned is None or self.planned.check.answers(finding.check), finding.id
        self.told.append(finding)
        self.view.found(finding)

    def can(self, *capabilities: str) -> bool:
        return all(capability in self.capabilities for capability in capabilities)

    async def session(self, person: Credential) -> HttpSession:
        """Return the shared signed-in session of a person.

        Errors:  Undecided when signing in is refused.
        """
        if person.email not in self._sessions:
            self._sessions[person.email] = await self.fresh_session(person)
        return self._sessions[person.email]

    async def fresh_session(self, person: Credential) -> HttpSession:
        """Sign a person in anew: for what may end the session (sign-out, revocation).

        Errors:  Undecided when signing in is refused.
        """
        login = self.manifest.login
        if login is None:
            raise Undecided("The target does not say how a person signs in.")
        session = self.anonymous()
        try:
            answer = await sign_in(session, login, person)
        except Unanswered as silent:
            raise Undecided(f"Signing in as {person.email} failed: {silent}") from silent
        if answer.status not in login.ok:
            raise Undecided(
                f"Signing in as {person.email} ({login.route}) answered {answer.status}, "
                f"not {' or '.join(map(str, login.ok))}: {answer.text[:120]!r}"
            )
        return session

    def forget_session(self, person: Credential) -> None:
        """Drop the shared session, because it was ended; the next `session` signs in again."""
        self._sessions.pop(person.email, None)

    def anonymous(self) -> HttpSession:
        """Return a session that is not signed in; closed at the end of the check."""
        handle = self.handle
        session = HttpSession(
            handle.base_url,
            site_url=handle.site_url,
            addresses=handle.addresses,
            turns=self.turns,
            hearing=self._hearing,
        )
        self._opened.append(session)
        return session

    @property
    def is_silent(self) -> bool:
        """Say whether the last few requests of whoever asks here went unanswered."""
        return self._hearing.silent_in_a_row >= SILENT_MAX

    async def silence(self) -> str:
        """Return that the app answers nobody any more, in a sentence; empty while it does."""
        if self._silence or not self.is_silent:
            return self._silence
        began, said, session = time.monotonic(), "", self.anonymous()
        while time.monotonic() - began < SILENCE_S_MAX:
            try:
                await session.get(self.target.health, timeout_s=_KNOCK_S)
                return ""
            except Unanswered as silent:
                said = str(silent)
                await asyncio.sleep(_KNOCK_S / 10)
        self._silence = f"It has answered nothing for {SILENCE_S_MAX:g} s and longer: {said}."
        return self._silence

    def database(self, role: str) -> Database:
        """Return a role's way into the database ("admin" may see all, lock and kill).

        Errors:  Undecided when the handle holds no address for it.
        """
        url = self.handle.database_urls.get(role)
        if url is None:
            raise Undecided(f"The handle holds no database address for role {role!r}.")
        return Database(url, role=role, scope=self.manifest.scope)

    def proxy(self, name: str) -> Proxy:
        """Return the proxy through which the app reaches its "database", "mail" or "oidc".

        Errors:  Undecided when the app does not go through one.
        """
        if self.proxies is None or name not in self._fronted():
            raise Undecided(f"The app does not reach its {name} through a proxy of the examiner.")
        return self.proxies[name]

    async def samples_for(
        self, person: Credential, *, fresh: bool = False, only: Collection[str] | None = None
    ) -> dict[str, str]:
        """Return the samples of a person's tenant, looked up in its own data as role app.

        One that finds no row, or does not run (a note says so), is left out. Looked up once a
        check, or anew with `fresh`; then of `only` these, which spares the others' queries.
        """
        if person.email not in self._samples:
            self._samples[person.email] = await self._look_up(person, self.manifest.samples)
        elif fresh:
            asked = [s for s in self.manifest.samples if only is None or s.name in only]
            kept = self._samples[person.email]
            for sample in asked:
                kept.pop(sample.name, None)
            kept.update(await self._look_up(person, asked))
        return {**self._learnt.get(person.email, {}), **self._samples[person.email]}

    def learn(self, person: Credential, sample: str, value: str) -> None:
        """Keep a value of a person's tenant that no sample looks up: what the examiner made itself."""
        self._learnt.setdefault(person.email, {})[sample] = value

    def heal_later(self, what: str, heal: Heal) -> None:
        """Have a fault undone when the check ends, however it ends. Call before inflicting it."""
        self._healing.append((what, heal))

    async def lease(self, what: str, undo: Undo, *, lease_s: float) -> Lease:
        """Have a fault undone when the check ends, and by a watchdog when the lease or our life does.

        Take it before inflicting, `confirm` it afterwards.
        Errors:  Undecided when nobody would keep the promise.
        """
        lease = await self._leases.take(what, undo, lease_s=lease_s)
        self.heal_later(what, lease.heal)
        return lease

    async def once(self, what: str, find: Callable[[], Awaitable[Found]]) -> Found:
        """Return what `find` found when the run first asked for it: several checks may need the same."""
        if what not in self._found:
            self._found[what] = await find()
        found: Found = self._found[what]
        return found

    def keep(self, name: str, content: str | bytes) -> None:
        """Leave a file beside the report, where there is to be one; `name` may have folders."""
        if self.folder is not None:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)

    def invalidate(self, reason: str) -> None:
        """Declare the whole run invalid: it then claims nothing, whatever was found."""
        self.invalid_because.append(reason)

    async def heal(self) -> list[str]:
        """Undo every fault, the last first. Returns what could not be undone, and why."""
        failed, told = [], ""
        while self._healing:
            what, heal = self._healing.pop()
            if what != told:  # a process and its twenty children are one thing to a reader
                self.view.note(f"healing: {what}")
            told = what
            try:
                await heal()
            except Exception as broken:  # one that fails must not keep the others from being undone
                failed.append(f"{what} could not be undone: {broken!r}")
        return failed

    async def forget(self) -> None:
        """Drop what one check must not hand to the next: samples and passing sessions."""
        await self._source.close()
        self._samples.clear()
        self._learnt.clear()
        kept = list(self._sessions.values())
        for session in self._opened:
            if session not in kept:
                await session.close()
        self._opened = kept

    async def close(self) -> None:
        self._sessions.clear()
        await self.forget()
        await self._leases.close()

    def _fronted(self) -> frozenset[str]:
        if self.proxies is None:
            return frozenset()
        # Our own apps confirm in their handle that they took the addresses; a stranger was started
        # with the only address it has.
        if self.target.kind != "shipworthy":
            return self.proxies.names
        return self.proxies.names & {*self.handle.through, "oidc"}

    async def _look_up(self, person: Credential, samples: Sequence[Sample]) -> dict[str, str]:
        if not samples or not self.can("database.app"):
            return {}
        return await self._source.look_up(self.database("app"), person, samples)
