"""The fault mail.down: no mail can be handed over for a time."""

from __future__ import annotations

from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.network import take_down
from shipworthy.gauntlet.faults.stop_process import stop_process

NAME = "mail.down"


async def take_mail_down(exam: Exam, *, lease_s: float) -> None:
    """Refuse the app's connections to its mail server, or hang the server where there is no proxy.

    Healed when the check ends, at the latest when the lease does.
    Errors:  Undecided when neither can be done.
    """
    if exam.can("proxy.mail"):
        await take_down(exam, "mail", lease_s=lease_s)
    else:
        await stop_process(exam, "mail", lease_s=lease_s)
