"""Object files: put and get, missing ones are missing."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from shipworthy.kernel.errors import Missing, Upstream
from shipworthy.kernel.files.store import object_key, open_files


async def test_what_is_put_is_got_and_nothing_else_is_there(tmp_path: Path) -> None:
    files = open_files("", default_folder=tmp_path / "files")
    key = object_key(uuid.uuid4(), "invoice-pdf", "1.pdf")
    await files.put(key, b"%PDF")
    await files.put(key, b"%PDF")
    assert await files.get(key) == b"%PDF"
    with pytest.raises(Missing):
        await files.get(key + "x")


async def test_a_store_that_cannot_write_is_an_upstream_failure(tmp_path: Path) -> None:
    files = open_files("", default_folder=tmp_path / "files")
    (tmp_path / "files" / "a").write_bytes(b"a file where a folder must be")
    with pytest.raises(Upstream, match="will be tried again"):
        await files.put("a/b", b"x")


async def test_what_is_deleted_is_missing_and_deleting_it_again_is_no_error(tmp_path: Path) -> None:
    files = open_files("", default_folder=tmp_path / "files")
    await files.put("a/b", b"x")
    await files.delete("a/b")
    await files.delete("a/b")
    with pytest.raises(Missing):
        await files.get("a/b")
