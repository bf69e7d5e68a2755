"""A companion is asked and answers; refusals, silence about a dead one and questions given up are told apart."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from shipworthy.gauntlet.companion import CompanionGone, start_companion


async def test_refusals_are_raised_with_their_words_and_the_next_question_is_answered() -> None:
    companion = await start_companion("shipworthy.gauntlet.proxy", what="The proxies")
    with pytest.raises(ValueError, match="nowhere"):
        await companion.ask("state", name="nowhere")
    assert await companion.ask("serve", pids=[]) == {"id": 2}
    assert companion.died() == ""
    await companion.end()
    with pytest.raises(CompanionGone):
        await companion.ask("serve", pids=[])


async def test_a_question_that_was_given_up_does_not_answer_the_next_one() -> None:
    companion = await start_companion("shipworthy.gauntlet.proxy", what="The proxies")
    os.kill(companion.pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(companion.ask("serve", pids=[]), 0.05)
    os.kill(companion.pid, signal.SIGCONT)
    assert await companion.ask("serve", pids=[]) == {"id": 2}
    await companion.end()


async def test_a_killed_one_is_gone_and_says_so() -> None:
    companion = await start_companion("shipworthy.gauntlet.proxy", what="The proxies")
    os.kill(companion.pid, signal.SIGKILL)
    with pytest.raises(CompanionGone, match=r"The proxies \(pid \d+\) ended with status -9"):
        await companion.ask("serve", pids=[])
    await companion.end()
