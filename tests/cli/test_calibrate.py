"""`shipworthy calibrate`: measures, chooses, never goes below the minimum, and says what it did about Argon2."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from shipworthy.cli.calibrate import command
from shipworthy.local import argon2_build
from shipworthy.rooms.auth.gate import calibration

TINY = ((64, 1), (128, 1))  # the real ones take a minute


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "CHOICES", TINY)


def test_it_shows_every_choice_marks_one_and_writes_what_goes_into_the_settings() -> None:
    said = CliRunner().invoke(command, ["--cores-reserved", "0"])
    assert said.exit_code == 0
    assert "m=64 t=1" in said.stdout
    assert "m=128 t=1 <" in said.stdout  # the strongest that is quick enough
    assert "[auth]\nhash_memory_kib = 128\nhash_passes = 1\n" in said.stdout
    assert said.stderr.count("measuring") == 2


def test_a_goal_that_cannot_be_held_keeps_the_minimum_and_says_so() -> None:
    said = CliRunner().invoke(command, ["--logins-per-s", "10000000"])
    assert "hash_memory_kib = 64" in said.stdout
    assert "No allowed parameters hold 1e+07 sign-ins a second" in said.stdout


def test_json_says_the_same_and_a_build_that_fails_is_told_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(argon2_build, "why_not", lambda: "")
    monkeypatch.setattr(argon2_build, "installer", lambda: ["/bin/false"])
    said = CliRunner().invoke(command, ["--json", "--build"])
    document = json.loads(said.stdout)
    assert "No faster build: false failed" in document["argon2"]
    assert "no faster build" in said.stderr
    assert [one["memory_kib"] for one in document["measured"]] == [64, 128]
    assert document["chosen"]["logins_per_s"] > 0
