"""Rooms of an app's own: one is written, each of ours is ejected, and what the app promises still holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import shipworthy

# Every kind of field, with and without a value, twice over: the second room refers to the first.
BOOKINGS = """
[room.bookings]
german = "Buchungen"
german_one = "Buchung"
icon = "calendar"
newest_by = "starts_on"

[room.bookings.fields]
guest = { kind = "text", required = true, personal = true, german = "Gast" }
code = { kind = "text", required = true, unique = true, chars_max = 20 }
starts_on = { kind = "date", required = true }
price = { kind = "money", required = true }
state = { kind = "choice", required = true, choices = ["open", "confirmed", "gone"] }
payer = { kind = "reference", required = true, to = "customers" }
guests = { kind = "integer", required = true }
arrives_at = { kind = "time", required = true }
note = { kind = "text", chars_max = 1000 }
ends_on = { kind = "date" }
deposit = { kind = "money", currency = "JPY" }
source = { kind = "choice", choices = ["phone", "web"] }
agent = { kind = "reference", to = "customers" }
beds = { kind = "integer" }
leaves_at = { kind = "time" }
voucher = { kind = "text", unique = true, chars_max = 20 }

[room.stays.fields]
title = { kind = "text", required = true }
booking = { kind = "reference", required = true, to = "bookings" }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rooms")
    made = shipworthy("new", "inn", "--rooms", "invoicing,site", cwd=folder)
    assert made.returncode == 0, made.stderr
    with (folder / "inn" / "app.toml").open("a") as file:
        file.write(BOOKINGS)
    for name in ("bookings", "stays"):
        added = shipworthy("add", "room", name, cwd=folder / "inn")
        assert added.returncode == 0, added.stderr
    return folder / "inn"


@pytest.mark.parametrize("ejected", [None, "auth", "invoicing", "site"])
def test_what_the_app_promises_holds(home: Path, ejected: str | None) -> None:
    if ejected is not None:
        done = shipworthy("eject", ejected, cwd=home)
        assert done.returncode == 0, done.stderr
    for command in (["pytest", "-q", "-x"], ["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        ran = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
