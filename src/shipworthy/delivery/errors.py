"""What can go wrong while a version is brought out, as one tree of errors a person can act on.

    DeliveryError
    ├── FrontMissing     delivery.front_missing     missing
    ├── StateTorn        delivery.state_torn        conflict
    └── StepFailed       delivery.step_failed       upstream

Every message says at which step it happened, to which thing, and what to do next.
"""

from __future__ import annotations


class DeliveryError(Exception):
    """A version cannot be brought out. `code` is stable, `message` is for a person."""

    code = "delivery.error"
    kind = "upstream"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FrontMissing(DeliveryError):
    """Nothing here runs behind a front that could split its traffic."""

    code, kind = "delivery.front_missing", "missing"


class StateTorn(DeliveryError):
    """A file of ours holds what we did not write."""

    code, kind = "delivery.state_torn", "conflict"


class StepFailed(DeliveryError):
    """One step of a deploy failed; the version that ran before goes on serving."""

    code, kind = "delivery.step_failed", "upstream"

    def __init__(self, step: str, message: str) -> None:
        super().__init__(f"step {step!r}: {message}")
        self.step = step
