"""The state directory is private, locked by one process, and refuses in sentences."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shipworthy.local.errors import AlreadyRunning, StateDirUnusable
from shipworthy.local.statedir import StateDir
from tests.local.conftest import OtherProcess, as_ordinary_user

_HOLDER = """
import json, sys
from pathlib import Path
from shipworthy.local.statedir import StateDir
lock = StateDir(Path(sys.argv[1])).ensure().lock()
print(json.dumps({}), flush=True)
sys.stdin.read()
"""


def test_the_directory_is_made_private_and_kept_out_of_repositories(place: Path) -> None:
    state = StateDir(place / "app/.shipworthy").ensure()
    assert state.path.stat().st_mode & 0o066 == 0, "nobody else may list or write"
    assert state.logs.stat().st_mode & 0o777 == 0o700
    assert (state.path / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in state.path.iterdir()) == [".gitignore", "logs", "mail"]
    state.ensure()  # and again, harmlessly


def test_a_secret_is_random_kept_and_readable_by_the_owner_only(place: Path) -> None:
    state = StateDir(place / ".shipworthy").ensure()
    assert state.all_secrets() == {}
    first = state.secret("one")
    assert len(first) >= 32
    assert state.secret("two") != first
    assert StateDir(place / ".shipworthy").secret("one") == first
    assert json.loads(state.secrets_file.read_text())["one"] == first
    assert state.secrets_file.stat().st_mode & 0o777 == 0o600


def test_a_place_that_takes_no_directories_is_named() -> None:
    with pytest.raises(StateDirUnusable, match=r"/proc/shipworthy cannot be made.*Choose another"):
        StateDir(Path("/proc/shipworthy")).ensure()


def test_a_damaged_secrets_file_is_named_and_not_overwritten(place: Path) -> None:
    state = StateDir(place / ".shipworthy").ensure()
    state.secrets_file.write_text("{half")
    with pytest.raises(StateDirUnusable, match=r"secrets\.json is not valid JSON"):
        state.secret("one")
    assert state.secrets_file.read_text() == "{half"


def test_the_lock_is_one_processs_and_ends_with_it(place: Path) -> None:
    state = StateDir(place / ".shipworthy")
    holder = OtherProcess(_HOLDER, str(state.path))
    with pytest.raises(AlreadyRunning, match=f"in use by process {holder.pid}") as refusal:
        state.lock()
    assert refusal.value.pid == holder.pid
    holder.kill()
    lock = state.lock()
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        state.lock()
    lock.release()
    state.lock().release()


def test_a_place_that_cannot_be_written_is_refused_with_what_to_do(place: Path) -> None:
    place.chmod(0o555)
    outcome = as_ordinary_user(lambda: StateDir(place / ".shipworthy").ensure())
    assert outcome["code"] == "local.state_dir_unusable"
    assert f"{place}/.shipworthy cannot be written (Permission denied)" in outcome["message"]
    place.chmod(0o777)
    assert as_ordinary_user(lambda: StateDir(place / ".shipworthy").ensure().path) == place / ".shipworthy"


def test_an_existing_directory_of_someone_else_is_refused_before_anything_starts(place: Path) -> None:
    state = StateDir(place / ".shipworthy").ensure()
    state.path.chmod(0o555)
    outcome = as_ordinary_user(lambda: StateDir(state.path).ensure())
    state.path.chmod(0o755)
    assert outcome["code"] == "local.state_dir_unusable"


def test_a_file_in_the_way_is_named(place: Path) -> None:
    (place / ".shipworthy").write_text("a file")
    with pytest.raises(StateDirUnusable, match="a directory is needed there"):
        StateDir(place / ".shipworthy").ensure()
