"""Our own apps by their command: described, started with a handle, stopped cleanly."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.strict import Undecodable, encode
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.shipworthy import describe
from shipworthy.gauntlet.adapters.start import started
from tests.support.programs import stand_in_command


async def test_an_app_is_described_by_its_own_command(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(encode(Manifest(app="Acme", rooms=("auth",)))))
    target = await describe(tmp_path, command=stand_in_command(tmp_path))
    assert (target.name, target.kind, target.manifest.rooms) == ("Acme", "shipworthy", ("auth",))
    assert target.workdir == str(tmp_path)


async def test_what_the_command_complains_of_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(StartFailed, match="did you mean 'name'"):
        await describe(tmp_path, command=stand_in_command(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "not valid JSON"),
        ('{"app": "A", "version": 2}', "version 2"),
        ('{"ap": "A"}', "did you mean 'app'"),
    ],
)
async def test_a_manifest_that_does_not_fit_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(Undecodable, match=words):
        await describe(tmp_path, command=stand_in_command(tmp_path))


async def test_up_is_waited_for_its_handle_is_read_anew_and_it_stops_cleanly(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(encode(Manifest(app="Acme"))))
    target = await describe(tmp_path, command=stand_in_command(tmp_path))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    async with started(target, scratch) as instance:
        assert instance.handle.processes[0].pid == 11
        assert instance.handle.pid is not None
        os.kill(instance.handle.pid, signal.SIGUSR1)  # its supervisor restarted the worker
        async with asyncio.timeout(10):
            while instance.handle.processes[0].pid != 12:
                await asyncio.sleep(0.01)
        assert not (tmp_path / "stopped-cleanly").exists()
    assert (tmp_path / "stopped-cleanly").read_text() == "yes"
