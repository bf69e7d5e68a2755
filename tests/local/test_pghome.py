"""Where the database of an app lies. The closed home, with real servers: test_postgres.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.local.account import service_account
from shipworthy.local.errors import DatabaseMissing, StateDirUnusable
from shipworthy.local.pghome import claim_home, forget_home, known_home
from shipworthy.local.statedir import StateDir
from tests.local.conftest import needs_root


def test_a_reachable_state_directory_holds_its_own_database(place: Path) -> None:
    state = StateDir(place / ".shipworthy").ensure()
    home = claim_home(
        state, account=service_account(owner_of=place / "none"), reachable_root=place / "unused"
    )
    assert (home.path, home.is_outside) == (state.path / "postgres", False)
    assert known_home(state) == home
    assert not (place / "unused").exists()


@needs_root
def test_a_closed_state_directory_points_outside_and_stays_closed(place: Path) -> None:
    closed = place / "home"
    closed.mkdir(mode=0o700)
    state = StateDir(closed / "shop" / ".shipworthy").ensure()
    account = service_account(owner_of=place / "none")
    home = claim_home(state, account=account, reachable_root=place / "root")
    assert home.is_outside
    assert home.path.parent == place / "root"
    assert home.path.name.startswith("shop-")
    assert (home.path / "belongs-to").read_text().strip() == str(state.path)
    assert claim_home(state, account=account, reachable_root=place / "root") == home
    assert closed.stat().st_mode & 0o777 == 0o700
    forget_home(state, home)
    assert not home.path.exists()
    assert not known_home(state).is_outside


@needs_root
def test_when_no_place_can_be_reached_the_error_names_both(place: Path) -> None:
    closed = place / "home"
    closed.mkdir(mode=0o700)
    state = StateDir(closed / ".shipworthy").ensure()
    with pytest.raises(StateDirUnusable, match=rf"Neither {state.path} nor {closed}/root .* user nobody"):
        claim_home(state, account=service_account(owner_of=place / "none"), reachable_root=closed / "root")


def test_a_pointer_that_leads_nowhere_is_never_taken_for_a_new_app(tmp_path: Path) -> None:
    state = StateDir(tmp_path / ".shipworthy").ensure()
    pointer = state.path / "postgres.json"
    pointer.write_text('{"home": "/nowhere/at/all"}')
    with pytest.raises(DatabaseMissing, match="/nowhere/at/all and is not there any more"):
        known_home(state)
    for broken in ("{", "{}", "[]"):
        pointer.write_text(broken)
        with pytest.raises(StateDirUnusable, match=r"postgres\.json should name the directory"):
            known_home(state)
