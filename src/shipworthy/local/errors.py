"""What can go wrong on the laptop, as one tree of errors a person can act on.

    LocalServiceError
    ├── StateDirUnusable     local.state_dir_unusable     forbidden
    ├── AlreadyRunning       local.already_running        conflict
    ├── PortTaken            local.port_taken             conflict
    ├── DiskFull             local.disk_full              busy
    ├── BinariesMissing      local.binaries_missing       missing
    ├── DatabaseMissing      local.database_missing       missing
    ├── DatabaseForeign      local.database_foreign       forbidden
    ├── DatabaseVersion      local.database_version       conflict
    ├── AccountUnusable      local.account_unusable       forbidden
    ├── BuildFailed          local.build_failed           upstream
    ├── BranchMissing        local.branch_missing         missing
    ├── CheckoutFailed       local.checkout_failed        upstream
    ├── PreviewRefused       local.preview_refused        conflict
    ├── PreviewFailed        local.preview_failed         upstream
    ├── NobodyAnswers        local.nobody_answers         upstream
    ├── BackupMissing        local.backup_missing         missing
    ├── BackupDamaged        local.backup_damaged         conflict
    ├── RestoreRefused       local.restore_refused        conflict
    ├── RestoreFailed        local.restore_failed         upstream
    └── ServiceFailed        local.service_failed         upstream

Every message is one sentence or two: what happened, to which thing, what to do next.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LocalServiceError(Exception):
    """A local service cannot do what was asked. `code` is stable, `message` is for a person."""

    code = "local.error"
    kind = "upstream"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StateDirUnusable(LocalServiceError):
    code, kind = "local.state_dir_unusable", "forbidden"


class AlreadyRunning(LocalServiceError):
    """Someone else holds the state directory; `pid` is theirs, or None where it cannot be told."""

    code, kind = "local.already_running", "conflict"

    def __init__(self, message: str, *, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class PortTaken(LocalServiceError):
    code, kind = "local.port_taken", "conflict"


class DiskFull(LocalServiceError):
    code, kind = "local.disk_full", "busy"


class BinariesMissing(LocalServiceError):
    code, kind = "local.binaries_missing", "missing"


class DatabaseMissing(LocalServiceError):
    code, kind = "local.database_missing", "missing"


class DatabaseForeign(LocalServiceError):
    code, kind = "local.database_foreign", "forbidden"


class DatabaseVersion(LocalServiceError):
    code, kind = "local.database_version", "conflict"


class AccountUnusable(LocalServiceError):
    code, kind = "local.account_unusable", "forbidden"


class BuildFailed(LocalServiceError):
    """No faster build of a package came of it; the package is as it was."""

    code, kind = "local.build_failed", "upstream"


class BranchMissing(LocalServiceError):
    code, kind = "local.branch_missing", "missing"


class CheckoutFailed(LocalServiceError):
    code, kind = "local.checkout_failed", "upstream"


class PreviewRefused(LocalServiceError):
    """A preview of that name is up already, or none is."""

    code, kind = "local.preview_refused", "conflict"


class PreviewFailed(LocalServiceError):
    """A preview did not come up; nothing of it is left."""

    code, kind = "local.preview_failed", "upstream"


class BackupMissing(LocalServiceError):
    code, kind = "local.backup_missing", "missing"


class BackupDamaged(LocalServiceError):
    """A backup is not what was stored; nothing is made of it."""

    code, kind = "local.backup_damaged", "conflict"


class RestoreRefused(LocalServiceError):
    """Something is there already, or was written by another PostgreSQL."""

    code, kind = "local.restore_refused", "conflict"


class RestoreFailed(LocalServiceError):
    """What was restored is not what was asked for, or does not hold; nothing of it is left."""

    code, kind = "local.restore_failed", "upstream"


class ServiceFailed(LocalServiceError):
    code, kind = "local.service_failed", "upstream"


# How programs say it: the system's two words for it, and PostgreSQL's for a page that fitted by half.
_FULL = ("No space left on device", "Disk quota exceeded", "could not extend file")


def tells_of_full_disk(said: str) -> bool:
    """Say whether a program's words mean that a disk is full."""
    return any(words in said for words in _FULL)


def disk_full(directory: Path) -> DiskFull:
    """The one sentence for a full disk, wherever it was noticed."""
    return DiskFull(
        f"The disk that holds {directory} is full. Free some space there (a new database needs about "
        "100 MB) and start again; what was stored before is untouched."
    )


@contextmanager
def file_errors_explained(directory: Path) -> Iterator[None]:
    """Turn the operating system's refusals under `directory` into errors that say what to do.

    Errors:  DiskFull, StateDirUnusable. Other OSErrors pass unchanged: they are defects.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(directory) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StateDirUnusable(
                f"{error.filename or directory} cannot be written ({error.strerror}). Give this user write "
                f"permission for {directory}, or run the app from a directory that is writable."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise StateDirUnusable(
                f"{error.filename or directory} is in the way: a directory is needed there. "
                "Move that file elsewhere and start again."
            ) from error
        raise
