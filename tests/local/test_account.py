"""Whom a service runs as, and what that account can reach: tried, not guessed."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from shipworthy.local.account import service_account
from tests.local.conftest import as_ordinary_user, needs_root


def test_an_ordinary_user_stays_who_they_are(place: Path) -> None:
    outcome = as_ordinary_user(lambda: (service_account(owner_of=place).popen_arguments(), os.geteuid()))
    assert outcome[0] == {}
    assert outcome[1] != 0


@needs_root
def test_root_becomes_nobody_or_the_owner_of_the_data(place: Path) -> None:
    assert service_account(owner_of=place / "none").popen_arguments() == {
        "user": pwd.getpwnam("nobody").pw_uid,
        "group": pwd.getpwnam("nobody").pw_gid,
        "extra_groups": [],
    }
    os.chown(place, 1, 1)
    assert service_account(owner_of=place).uid == 1
    os.chown(place, 54321, 54321)
    assert service_account(owner_of=place).name == "uid 54321"


def test_reach_is_found_by_trying(place: Path) -> None:
    account = service_account(owner_of=place / "none")
    assert account.may_enter(place)
    assert account.may_run(Path("/bin/ls"))
    assert not account.may_enter(place / "missing")
    assert not account.may_run(place / "missing")


@needs_root
def test_a_closed_directory_is_out_of_nobodys_reach(place: Path) -> None:
    account = service_account(owner_of=place / "none")
    inner = place / "closed/inner"
    inner.mkdir(parents=True)
    assert account.may_enter(inner)
    inner.parent.chmod(0o700)
    assert not account.may_enter(inner)
