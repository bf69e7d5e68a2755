"""The account a local service runs under: ours, or `nobody` when we are root.

PostgreSQL refuses to run as root, rightly. `nobody` is taken because initdb needs a uid with
an entry in the password file and every system has that one; adding an account of our own
would change a stranger's machine. A database that exists keeps its owner: `sudo shipworthy up`
on a user's database runs it as that user, whose files stay theirs.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.local.errors import AccountUnusable


@dataclass(frozen=True)
class Account:
    """`uid` and `gid` are None when the service runs as the calling user."""

    name: str
    uid: int | None = None
    gid: int | None = None

    def popen_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments that make subprocess drop to this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make this account the owner of `path`."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, directory: Path) -> bool:
        """Tell by trying whether this account can reach `directory` through all its parents."""
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)])

    def may_run(self, program: Path) -> bool:
        """Tell by trying whether this account can run `program --version`."""
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd="/",
                timeout=30,
                check=False,
                **self.popen_arguments(),
            )
        except FileNotFoundError:
            return False
        except PermissionError:
            # Either the program is out of reach, or we may not change user at all.
            self._require_droppable()
            return False
        return done.returncode == 0

    def _require_droppable(self) -> None:
        try:
            subprocess.run(["/bin/sh", "-c", ":"], cwd="/", timeout=30, check=True, **self.popen_arguments())
        except OSError as error:
            raise AccountUnusable(
                f"Root may not change to the user {self.name} here ({error.strerror}), and PostgreSQL "
                "refuses to run as root. Run shipworthy as an ordinary user."
            ) from error


def service_account(*, owner_of: Path) -> Account:
    """Return the account for the service whose data is, or will be, in `owner_of`.

    Errors:  AccountUnusable when root has no `nobody` to become.
    """
    if os.geteuid() != 0:
        return Account(name=_name_of(os.geteuid()))
    if owner_of.exists() and (owner := owner_of.stat()).st_uid != 0:
        return Account(name=_name_of(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise AccountUnusable(
            "PostgreSQL refuses to run as root and there is no user `nobody` to run it as. "
            "Run shipworthy as an ordinary user."
        ) from error
    return Account(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
