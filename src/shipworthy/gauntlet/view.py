"""`View`: what a run tells whoever watches it. The default tells nobody.

Every method is optional to act on and none may raise; the verdict never depends on a view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipworthy.contract.finding import Finding

if TYPE_CHECKING:
    from shipworthy.gauntlet.plan import PlannedCheck


class View:
    """A view that shows nothing; a real one overrides what it wants to show."""

    def planned(self, plan: tuple[PlannedCheck, ...]) -> None:
        """The whole list of what will be asked, in order, before anything starts."""

    def note(self, text: str) -> None:
        """One sentence about the run itself: starting, stopping, healing."""

    def check_begins(self, planned: PlannedCheck) -> None:
        """A check starts."""

    def progress(self, done: int, total: int, subject: str = "") -> None:
        """The running check got to its `done`-th subject of `total`."""

    def second(
        self,
        journey: str,
        second: int,
        *,
        requests: int,
        failures: int,
        latency_ms_p50: float,
        latency_ms_p95: float,
    ) -> None:
        """One second of load on one journey went by."""

    def found(self, finding: Finding) -> None:
        """A check has answered about one subject."""

    def check_ends(self, planned: PlannedCheck) -> None:
        """A check is over; all its findings were told."""


QUIET = View()
