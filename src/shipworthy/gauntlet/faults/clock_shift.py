"""The fault clock.shift: the app's own clock is wrong by some seconds; everybody else's is right.

Works on apps that offer a clock which can be moved (`Handle.clock_file`). The file says itself
until when it holds, so that nobody must be alive to right the clock.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.proxy.toxic import lease_of

NAME = "clock.shift"
SHIFT_S_MAX = 400 * 86_400.0  # beyond what any session, token or invoice number looks ahead


async def shift_clock(exam: Exam, *, by_s: float, lease_s: float) -> None:
    """Move the app's clock by `by_s` seconds, back if it is negative, within a tenth of a second.

    It is right again when the check ends, at the latest when the lease does.
    Errors:  Undecided when the app offers no such clock; ValueError for more than SHIFT_S_MAX.
    """
    if not abs(by_s) <= SHIFT_S_MAX:
        raise ValueError(f"a clock is moved by up to {SHIFT_S_MAX:g} s, not {by_s}")
    lease_s = lease_of(lease_s)
    if exam.handle.clock_file is None:
        raise Undecided("The app offers no clock that can be moved.")
    file = Path(exam.handle.clock_file)
    exam.heal_later("the app's clock was moved", lambda: _righted(file))
    try:
        _write(file, f"{by_s} {time.time() + lease_s}")
    except OSError as failed:
        raise Undecided(f"The clock {file} could not be moved: {failed.strerror}") from failed


async def _righted(file: Path) -> None:
    await asyncio.to_thread(file.unlink, missing_ok=True)


def _write(file: Path, text: str) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(text, encoding="ascii")
    os.replace(draft, file)
