"""The hearing: second by second, what canary and baseline were asked, told to the judge, the record and the view."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from shipworthy.delivery.access import AccessLog, Seen, judged
from shipworthy.delivery.envoy import OTHER
from shipworthy.delivery.fleet import Fleet
from shipworthy.delivery.plan import Plan, View
from shipworthy.delivery.probes import probe_all, target_of
from shipworthy.delivery.record import Record
from shipworthy.judge.canary import Action, CanaryState, Decision, decide, observe, tick

_LOOKS_PER_S = 10  # a dead version is seen between two looks, not after a second of failures
_SEEN_MIN = 3  # requests of a journey by the baseline after which a canary without one is waited for
_PROBES_PER_S = 10  # to each arm, while visitors ask the canary less


class Hearing:
    """Of one deploy; `stage` begins at each weight, the judge's state goes on through them."""

    def __init__(
        self, log: AccessLog, plan: Plan, record: Record, view: View, *, thresholds_ms: Mapping[str, float]
    ) -> None:
        self._log, self._plan, self._record, self._view = log, plan, record, view
        self._thresholds_ms = thresholds_ms
        self._state = CanaryState()
        self._visitors = 0  # of the canary in the last second
        self._in_stage: Counter[tuple[str, str]] = Counter()
        self._began_s = 0.0

    def stage(self, *, alone: bool) -> None:
        """Begin a weight. A canary that is `alone` has no baseline: from there the bounds alone decide."""
        self._in_stage, self._began_s, self._visitors = Counter(), time.monotonic(), 0
        if alone:
            self._state = CanaryState()

    @property
    def stage_s(self) -> float:
        return time.monotonic() - self._began_s

    async def second(self, fleet: Fleet, *, port: int) -> Decision:
        """Hear one second, or less where it is enough for a rollback; return what the judge says."""
        probing = asyncio.create_task(self._probe(fleet, port))
        self._visitors, until_s = 0, time.monotonic() + 1.0
        try:
            while time.monotonic() < until_s:
                await asyncio.sleep(1.0 / _LOOKS_PER_S)
                decision = self._hear(self._log.new(), alone=fleet.weight == 100)
                if decision.action is Action.ROLLBACK:
                    return decision
            await probing
        finally:
            probing.cancel()
        self._state = tick(self._state, rule=self._plan.rule)
        return decide(self._state, rule=self._plan.rule)

    def waits(self, decision: Decision, *, needs_promotion: bool) -> str:
        """Say why the next weight must wait; empty when it may come. Without data it waits."""
        if decision.page:
            return decision.reason
        heard = sum(count for (_, arm), count in self._in_stage.items() if arm == "canary")
        if self.stage_s < self._plan.stage_s or heard < self._plan.stage_requests_min:
            return (
                f"{self.stage_s:.0f} of {self._plan.stage_s:g} s, "
                f"{heard} of {self._plan.stage_requests_min} requests at this weight."
            )
        for journey in sorted({journey for journey, _ in self._in_stage}):
            asked = self._in_stage[journey, "baseline"]
            if asked >= _SEEN_MIN and not self._in_stage[journey, "canary"]:
                return f"{journey}: the baseline was asked {asked} times, the canary never."
        if self._state.silent_s:
            return f"no request reached the canary for {self._state.silent_s} s."
        if needs_promotion and decision.action is not Action.PROMOTE:
            return decision.reason
        return ""

    def _hear(self, seen: Sequence[Seen], *, alone: bool) -> Decision:
        self._record.seen(seen, self._thresholds_ms)
        for one in seen:
            if alone and one.arm == "baseline":
                continue  # under way since the weight before; there is no comparison any more
            self._in_stage[one.journey or OTHER, one.arm] += 1
            self._visitors += one.arm == "canary" and not one.is_probe
            request = judged(one, self._thresholds_ms)
            if request is None:
                continue
            self._view.seen(one, slow=request.slow)
            self._state = observe(self._state, request, rule=self._plan.rule)
            if (
                request.arm == "canary"
                and (decision := decide(self._state, rule=self._plan.rule)).action is Action.ROLLBACK
            ):
                self._record.event("decided", requests=self._view.arms["canary"]["requests"])
                return decision
        return decide(self._state, rule=self._plan.rule)

    async def _probe(self, fleet: Fleet, port: int) -> None:
        count = _PROBES_PER_S - self._visitors
        if not self._plan.probes or count <= 0:
            return
        arms = ("canary",) if fleet.weight == 100 else ("canary", "baseline")
        targets = [target_of(probe, port=port) for probe in self._plan.probes]
        await probe_all(targets, arms, port=port, salt=fleet.salt, count=count)
