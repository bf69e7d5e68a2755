"""The rollout: a new version from no traffic to all of it, or back to none.

Owns the order of the steps. Starts a fresh baseline beside the canary, gives both the same weight,
asks the judge (R4) every second, and goes on, holds or takes it back. What was done is in the
files: a rollout that was killed is begun again by the next one, and in between the version that
served before serves alone.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shipworthy.delivery.access import AccessLog
from shipworthy.delivery.errors import StateTorn, StepFailed
from shipworthy.delivery.fleet import Fleet, Journey, Member, Place, put_aside, read, write
from shipworthy.delivery.hearing import Hearing
from shipworthy.delivery.helm import LOOK_S, Helm
from shipworthy.delivery.pager import Page, Pager, Way
from shipworthy.delivery.plan import Ending, Outcome, Plan, Progress, View
from shipworthy.delivery.record import Record
from shipworthy.delivery.release import Release
from shipworthy.judge.canary import Action
from shipworthy.local.statedir import DirectoryLock

Migrate = Callable[[], Awaitable[Sequence[str]]]


class Rollout:
    """One deploy. `expand` runs before the new version starts, `contract` once the old one is gone."""

    def __init__(
        self,
        place: Place,
        release: Release,
        plan: Plan,
        *,
        journeys: Sequence[Journey] = (),
        console_hosts: Sequence[str] = (),
        expand: Migrate | None = None,
        contract: Migrate | None = None,
        pages: Mapping[str, Way] | None = None,
        show: Callable[[View], None] = lambda _view: None,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._place, self._release, self._plan = place, release, plan
        self._journeys, self._console_hosts = tuple(journeys), frozenset(console_hosts)
        self._expand, self._contract, self._pages = expand, contract, pages or {}
        self._show, self._say = show, say
        self._view = View(weights=plan.weights)
        self._helm: Helm
        self._progress: Progress
        self._record: Record
        self._pager: Pager

    async def run(self) -> Outcome:
        """Bring the release out, or take it back.

        Errors:  FrontMissing, AlreadyRunning, StepFailed: nothing has changed, or the version that
                 served before serves alone again.
        """
        lock = DirectoryLock(self._place.ensure().lock)
        try:
            self._helm = Helm(self._place, say=self._say)
            self._begin()
            return await self._steps()
        except StepFailed as failed:
            await self._taken_back(failed.step, failed.message)
            raise
        except asyncio.CancelledError:
            step = self._view.step
            await asyncio.shield(self._taken_back(step, f"stopped by a person at step {step!r}."))
            raise
        finally:
            lock.release()

    async def _steps(self) -> Outcome:
        if self._helm.fleet.release_of(self._helm.fleet.stable) == self._release.id:
            if len(self._helm.fleet.members) > 1:
                await self._helm.alone()  # another deploy was broken off, and this is the way back
            await self._contracted()
            return self._close("promoted", "this very release serves already.", page=False)
        await self._migrate("expand migrations", self._expand)
        await self._start()
        hearing = self._hearing()
        for weight in self._plan.weights:
            self._step(f"weight {weight} %")
            await self._helm.weigh(weight)
            self._view.weight = weight
            self._record.event("weight", percent=weight)
            if ended := await self._stage(hearing, weight):
                return ended
        return await self._promote()

    def _begin(self) -> None:
        """Continue the deploy of this release that was broken off, or begin one."""
        try:
            before = read(self._place.progress, Progress)
        except StateTorn as torn:
            self._say(f"{torn} Beginning anew; it lies at {put_aside(self._place.progress)}.")
            before = None
        if before is not None and before.release != self._release.id:
            self._say(
                f"deploy {before.deploy} of release {before.release} was broken off at step {before.step!r}; "
                "it is taken back."
            )
            before = None
        if before is not None:
            self._say(f"continuing deploy {before.deploy}, broken off at step {before.step!r}.")
        self._progress = before or Progress(
            deploy=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
            release=self._release.id,
            salt=secrets.token_hex(16),
            step="begin",
        )
        self._record = Record(
            deploy=self._progress.deploy,
            release=self._release.id,
            previous=self._helm.fleet.release_of(self._helm.fleet.stable),
            folder=self._place.record(self._progress.deploy),
            salt=self._progress.salt,
        )
        self._pager = Pager(self._pages, note=self._record.event, again_s=self._plan.page_again_s)
        self._record.event("continued" if before else "began", weights=list(self._plan.weights))
        self._step("begin")

    def _step(self, name: str) -> None:
        self._view.step = self._helm.step = name
        self._progress = replace(self._progress, step=name)
        write(self._place.progress, self._progress)
        self._place.watch()
        self._show(self._view)

    async def _migrate(self, step: str, run: Migrate | None) -> None:
        if run is None:
            return
        self._step(step)
        working = asyncio.ensure_future(run())
        while not working.done():
            await asyncio.wait([working], timeout=1.0)
            self._place.watch()
        for label in working.result():
            self._record.event("migrated", migration=label)

    async def _contracted(self) -> None:
        """Errors:  StepFailed while a process of another release runs: it would lose what it needs."""
        still = sorted({member.release for member in self._helm.fleet.members} - {self._release.id})
        if still:
            raise StepFailed(
                "contract migrations", f"release {', '.join(still)} still runs; nothing was applied."
            )
        await self._migrate("contract migrations", self._contract)

    async def _start(self) -> None:
        """Start canary and fresh baseline, without traffic; what a broken-off deploy left is let go."""
        self._step("start canary and baseline")
        if self._place.access.exists():
            os.truncate(self._place.access, 0)  # Envoy appends; nobody else reads it
        fleet = self._helm.fleet
        kept = next(member for member in fleet.members if member.name == fleet.stable)
        number = 1 + max(int(member.name.rpartition("-")[2]) for member in fleet.members)
        baseline = Member(name=f"web-{number}", release=kept.release)
        canary = Member(name=f"web-{number + 1}", release=self._release.id)
        self._helm.wish(
            Fleet(
                serial=fleet.serial + 1,
                members=(kept, baseline, canary),
                stable=kept.name,
                baseline=baseline.name,
                canary=canary.name,
                salt=self._progress.salt,
                journeys=self._journeys,
            )
        )
        await self._until_ready({canary.name: "the new version", baseline.name: "a fresh process of the old version"})  # fmt: skip

    async def _until_ready(self, wanted: dict[str, str]) -> None:
        deadline_s = time.monotonic() + self._plan.start_timeout_s
        waiting = set(wanted)
        while waiting:
            members = self._helm.alive().members
            for name in sorted(waiting & set(members)):
                if members[name].state == "failed":
                    raise StepFailed(self._view.step, f"{wanted[name]} does not come up. {members[name].why}")
                if members[name].state == "ready":
                    waiting.remove(name)
            if waiting and time.monotonic() > deadline_s:
                late = wanted[min(waiting)]
                raise StepFailed(
                    self._view.step, f"{late} was not ready within {self._plan.start_timeout_s:g} s"
                )
            await asyncio.sleep(LOOK_S)
            self._place.watch()

    def _hearing(self) -> Hearing:
        log = AccessLog(self._place.access, salt=self._progress.salt, console_hosts=self._console_hosts)
        thresholds_ms = {journey.name: journey.threshold_ms for journey in self._journeys}
        return Hearing(log, self._plan, self._record, self._view, thresholds_ms=thresholds_ms)

    async def _stage(self, hearing: Hearing, weight: int) -> Outcome | None:
        """Hear every second until the next weight may come (None) or the deploy has ended."""
        hearing.stage(alone=weight == 100)
        later = [one for one in self._plan.weights if one > weight]
        paged = False
        while True:
            self._place.watch()
            decision = await hearing.second(self._helm.fleet, port=self._helm.alive().port)
            waits = hearing.waits(decision, needs_promotion=later[:1] == [100])
            self._view.decision, self._view.stage_s, self._view.waits = decision, hearing.stage_s, waits
            self._show(self._view)
            if decision.action is Action.ROLLBACK:
                return await self._rolled_back("rolled back", decision.reason, page=False)
            if decision.page and not paged:
                paged = True
                self._call(decision.reason)
            if not waits:
                return None
            if hearing.stage_s > self._plan.patience_s:
                reason = f"not decided within {self._plan.patience_s:g} s at {weight} %: {waits}"
                return await self._rolled_back("undecided", reason, page=decision.page)

    def _call(self, reason: str) -> None:
        """Ask for a person: going back would not help, so nothing here can."""
        told = " and ".join(self._pager.names) or "nobody but whoever reads this: [alerts] names nobody"
        self._record.event("paged", reason=reason, by=told)
        self._say(f"HOLDING, a person is needed ({told}): {reason}")
        self._pager.call(
            Page(
                id=f"{self._progress.deploy}.page",
                deploy=self._progress.deploy,
                release=self._record.release,
                previous=self._record.previous,
                weight=self._view.weight,
                reason=reason,
            )
        )

    async def _rolled_back(self, ending: Ending, reason: str, *, page: bool) -> Outcome:
        self._step("roll back")
        began_s = time.monotonic()
        await self._helm.weigh(0)
        self._view.weight = 0
        weight_zero_s = time.monotonic() - began_s
        self._record.event("weight", percent=0, seconds=round(weight_zero_s, 3))
        self._step("drain")
        await self._helm.alone()
        await self._pager.close()
        return self._close(ending, reason, page=page, weight_zero_s=weight_zero_s)

    async def _promote(self) -> Outcome:
        """The canary is the stable version from now on; what ran before is drained and gone."""
        self._step("replace the old version")
        fleet = self._helm.fleet
        kept = tuple(member for member in fleet.members if member.name == fleet.canary)
        self._helm.wish(Fleet(serial=fleet.serial + 1, members=kept, stable=kept[0].name))
        await self._helm.in_force()
        await self._helm.until_gone()
        await self._contracted()
        await self._pager.close()
        told = self._view.arms.get("canary", Counter())
        reason = f"{told['requests']} requests of the new version were judged, {told['failed']} failed."
        return self._close("promoted", reason, page=False)

    async def _taken_back(self, step: str, reason: str) -> None:
        """After a step that failed: the stable version alone, if `up` is there to do it, and the record."""
        if not hasattr(self, "_record"):
            return
        self._record.event("failed", step=step)
        is_alone = await self._helm.alone()
        await self._pager.close()
        if is_alone:
            fleet = self._helm.fleet
            # After the last weight it is the new version that serves alone, whatever a later step says.
            serves = fleet.release_of(fleet.stable) == self._release.id
            self._close("promoted" if serves else "rolled back", reason, page=False)

    def _close(
        self, ending: Ending, reason: str, *, page: bool, weight_zero_s: float | None = None
    ) -> Outcome:
        folder = self._record.close(decision=ending, reason=reason, page=page, paged=self._pager.told)
        self._place.progress.unlink(missing_ok=True)
        return Outcome(
            decision=ending,
            reason=reason,
            page=page,
            record=folder,
            weight_zero_s=weight_zero_s,
            canary_requests=self._record.canary_requests,
            judged_requests=self._view.arms.get("canary", Counter())["requests"],
        )
