"""The fault keys.expired: the sign-in provider signs with new keys and publishes the old ones no more.

Nothing is to be healed: an app that fetches the keys anew goes on, and one that does not has failed.
"""

from __future__ import annotations

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam

NAME = "keys.expired"


def expire_keys(exam: Exam) -> None:
    """Withdraw the keys the app knows by now. Errors: Undecided when it signs nobody in through us."""
    if exam.provider is None:
        raise Undecided("The app does not sign people in through the examiner's provider.")
    exam.provider.rotate(keep_old=False)
