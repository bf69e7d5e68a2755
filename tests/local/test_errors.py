"""Every refusal has a stable code of its own, and the system's refusals become sentences."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from shipworthy.local import errors
from shipworthy.local.errors import DiskFull, LocalServiceError, StateDirUnusable, file_errors_explained
from shipworthy.local.hostline import NobodyAnswers


def test_codes_are_distinct_and_the_drawn_tree_is_the_real_one() -> None:
    classes = LocalServiceError.__subclasses__()
    assert NobodyAnswers in classes
    assert len({each.code for each in classes}) == len(classes)
    for each in classes:
        assert f"{each.__name__} " in (errors.__doc__ or "")
        assert f" {each.code} " in (errors.__doc__ or "")
        assert f" {each.kind}\n" in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("number", "expected", "words"),
    [
        (errno.ENOSPC, DiskFull, "is full. Free some space"),
        (errno.EACCES, StateDirUnusable, "/app/file cannot be written"),
        (errno.EROFS, StateDirUnusable, "run the app from a directory that is writable"),
        (errno.ENOTDIR, StateDirUnusable, "a directory is needed there"),
    ],
)
def test_what_the_system_refuses_becomes_a_sentence(
    number: int, expected: type[LocalServiceError], words: str
) -> None:
    with pytest.raises(expected) as refusal, file_errors_explained(Path("/app")):
        raise OSError(number, "as the system says", "/app/file")
    assert words in refusal.value.message


def test_a_defect_is_not_explained_away() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"), file_errors_explained(Path("/app")):
        raise OSError(errno.EBADF, "Bad file descriptor")
