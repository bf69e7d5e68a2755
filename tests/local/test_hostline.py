"""Asking a background process: answers, refusals, progress, and wishes that are taken back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from shipworthy.local.errors import LocalServiceError, PortTaken, ServiceFailed
from shipworthy.local.hostline import NobodyAnswers, Say, answering, ask


async def test_it_answers_tells_progress_and_refuses_in_its_own_words(tmp_path: Path) -> None:
    async def answer(asked: dict[str, Any], say: Say) -> dict[str, Any]:
        if asked["what"] == "port":
            raise PortTaken("Port 80 is taken.")
        say("half of it")
        return {"twice": asked["what"] * 2}

    place, said = tmp_path / "host.json", list[str]()
    async with answering(place, answer):
        assert place.stat().st_mode & 0o777 == 0o600
        assert await ask(place, {"what": "ab"}, say=said.append) == {"twice": "abab"}
        with pytest.raises(LocalServiceError, match="Port 80 is taken"):
            await ask(place, {"what": "port"})
    assert said == ["half of it"]
    assert not place.exists()
    with pytest.raises(NobodyAnswers):
        await ask(place, {"what": "ab"})


async def test_who_does_not_know_the_token_gets_nothing_done(tmp_path: Path) -> None:
    done = list[str]()

    async def answer(asked: dict[str, Any], _say: Say) -> dict[str, Any]:
        done.append("it")
        return {}

    place = tmp_path / "host.json"
    async with answering(place, answer):
        known = json.loads(place.read_text())
        (tmp_path / "guessed.json").write_text(json.dumps({**known, "token": "guessed"}))
        with pytest.raises(NobodyAnswers):
            await ask(tmp_path / "guessed.json", {})
        assert done == []
        assert await ask(place, {}) == {}
    assert done == ["it"]


async def test_a_wish_is_taken_back_when_whoever_asked_is_gone(tmp_path: Path) -> None:
    begun, taken_back = asyncio.Event(), asyncio.Event()

    async def answer(_asked: dict[str, Any], _say: Say) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            taken_back.set()
        return {}

    async with answering(tmp_path / "host.json", answer):
        asking = asyncio.create_task(ask(tmp_path / "host.json", {}))
        await begun.wait()
        asking.cancel()
        await asyncio.wait_for(taken_back.wait(), 20)


async def test_the_end_of_the_one_who_is_at_it_is_told(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def answer(_asked: dict[str, Any], _say: Say) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    async with answering(tmp_path / "host.json", answer):
        asking = asyncio.create_task(ask(tmp_path / "host.json", {}))
        await begun.wait()
    with pytest.raises(ServiceFailed, match="which was at it, ended"):
        await asking
