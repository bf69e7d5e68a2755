"""Archives of strangers: what could do harm is refused by name before anything of it is unpacked.

Covers: archive.
"""

from __future__ import annotations

import io
import stat
import zipfile

import pytest

from shipworthy.rooms.site.exchange.archive import FILES_MAX, Archive
from shipworthy.rooms.site.exchange.items import Unreadable
from tests.rooms.site.exchange.conftest import zipped


def linked() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("evil.md")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return out.getvalue()


def lying() -> bytes:
    """An archive whose directory says that a file is small."""
    data = bytearray(zipped({"a.md": b"0" * 3_000}))
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.index(mark) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(data)


def locked() -> bytes:
    data = bytearray(zipped({"a.md": "text"}))
    place = data.index(b"PK\x01\x02") + 8
    data[place] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped({"../evil.md": "x"}), "zip_name"),
        (zipped({"a/../../evil.md": "x"}), "zip_name"),
        (zipped({"/etc/evil.md": "x"}), "zip_name"),
        (zipped({"C:\\evil.md": "x"}), "zip_name"),
        (zipped({"..\\evil.md": "x"}), "zip_name"),
        (linked(), "zip_link"),
        (locked(), "zip_locked"),
        (zipped({"bomb.md": b"0" * 50_000_000}), "zip_bomb"),
        (zipped({"a.md": "x"})[:-30], "zip_broken"),
        (b"PK\x03\x04 and nothing more", "zip_broken"),
    ],
)
def test_what_could_do_harm_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        Archive(io.BytesIO(data))
    assert refused.value.note[0] == code


def test_too_many_files_are_refused() -> None:
    with pytest.raises(Unreadable) as refused:
        Archive(io.BytesIO(zipped({f"{n}.md": "" for n in range(FILES_MAX + 1)})))
    assert refused.value.note[0] == "zip_many"


def test_a_file_that_is_larger_than_it_says_ends_at_what_it_said() -> None:
    archive = Archive(io.BytesIO(lying()))
    with pytest.raises(Unreadable):
        archive.read("a.md", bytes_max=1_000_000)


def test_a_file_is_read_only_as_far_as_allowed_and_litter_is_passed_over() -> None:
    archive = Archive(io.BytesIO(zipped({"a/b.md": "text", "__MACOSX/._b.md": "x", "a/.DS_Store": "x"})))
    assert archive.names == ["a/b.md"]
    assert archive.read("a/b.md", bytes_max=4) == b"text"
    with pytest.raises(Unreadable) as refused:
        archive.read("a/b.md", bytes_max=3)
    assert refused.value.note[0] == "file_large"
