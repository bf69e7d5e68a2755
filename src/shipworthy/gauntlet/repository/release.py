"""The previous release: the newest git tag before this one, and its files laid out beside."""

from __future__ import annotations

import tarfile
from pathlib import Path

from shipworthy.gauntlet.repository.tool import output_of


async def previous_tag(folder: Path) -> str | None:
    """Return the newest tag before HEAD; None where none is. Errors: Unmeasurable where git does not answer."""
    arguments = ["tag", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-creatordate"]
    tags = (await output_of("git", arguments, cwd=folder)).split()
    return tags[0] if tags else None


async def lay_out(folder: Path, tag: str, then: Path) -> None:
    """Lay out the files of a tag, of this folder only. Links that lead outside are refused by tarfile.

    Errors:  Unmeasurable where git does not answer.
    """
    archive = then.with_suffix(".tar")
    await output_of("git", ["archive", "--format=tar", f"--output={archive}", tag], cwd=folder)
    with tarfile.open(archive) as packed:
        packed.extractall(then, filter="data")
    archive.unlink()
