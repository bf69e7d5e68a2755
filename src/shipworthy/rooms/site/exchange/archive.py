"""Archives that strangers packed: what is in them is looked at before anything is unpacked, and nothing is written to a
disk. Bombs, names that climb out of their folder, links and locked files are refused.

Source:  CWE-22 and CWE-409; APPNOTE.TXT 6.3.10 for what an archive's directory says.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from shipworthy.rooms.site.exchange.items import Unreadable

FILES_MAX = 20_000
UNPACKED_BYTES_MAX = 2 * 1024**3
_RATIO_MAX = 200  # text packs to a tenth; a bomb to a thousandth
_RATIO_BYTES_MIN = 1024 * 1024  # below that a ratio says nothing and costs nothing
_CHUNK = 64 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class Archive:
    """The files of a zip by their names, each read by itself and only so far as asked."""

    def __init__(self, file: BinaryIO) -> None:
        """Errors:  Unreadable for what is no archive, is too much, or could do harm."""
        try:
            self._zip = zipfile.ZipFile(file)
            entries = self._zip.infolist()
        except _BROKEN:
            raise Unreadable("zip_broken") from None
        if len(entries) > FILES_MAX:
            raise Unreadable("zip_many", len(entries), FILES_MAX)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            if not entry.is_dir():
                self._entries[_safe_name(entry)] = entry
        unpacked = sum(entry.file_size for entry in self._entries.values())
        if unpacked > UNPACKED_BYTES_MAX:
            raise Unreadable("zip_large", UNPACKED_BYTES_MAX // 1024**3)

    @property
    def names(self) -> list[str]:
        """Every file in it, in the order of names, without what systems leave behind."""
        return sorted(name for name in self._entries if not _is_litter(name))

    def size_bytes(self, name: str) -> int:
        """Return how large a file says it is."""
        return self._entries[name].file_size

    def read(self, name: str, *, bytes_max: int) -> bytes:
        """Return a file. Errors: Unreadable for a larger or broken one."""
        data = bytearray()
        for chunk in self.chunks(name):
            data += chunk
            if len(data) > bytes_max:
                raise Unreadable("file_large", name[-100:], bytes_max // 1024)
        return bytes(data)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file piece by piece. Errors: Unreadable for a broken one, or one larger than it says."""
        entry, size = self._entries[name], 0
        try:
            with self._zip.open(entry) as file:
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    if size > entry.file_size:
                        raise Unreadable("zip_broken")
                    yield chunk
        except _BROKEN:
            raise Unreadable("zip_broken") from None


def _safe_name(entry: zipfile.ZipInfo) -> str:
    """Return a file's name. Errors: Unreadable for one that could do harm."""
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\0" in name or ":" in (parts[0] if parts else ":"):
        raise Unreadable("zip_name", name[-100:])
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Unreadable("zip_link", name[-100:])
    if entry.flag_bits & 0x1:
        raise Unreadable("zip_locked")
    is_dense = entry.file_size > _RATIO_BYTES_MIN and entry.file_size > _RATIO_MAX * max(
        1, entry.compress_size
    )
    if is_dense:
        raise Unreadable("zip_bomb", name[-100:])
    return name


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts) or parts[-1] == "Thumbs.db"
