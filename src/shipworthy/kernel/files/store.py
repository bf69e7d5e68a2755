"""Object storage through obstore. Keys are tenant/kind/name; contents never change."""

from __future__ import annotations

import io
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shipworthy.kernel.errors import Missing, Upstream

_PIECE_BYTES = 256 * 1024


class FileStore:
    """Puts and gets whole objects."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, body: bytes | BinaryIO) -> None:
        """Store bytes, or what a file holds, however much it is; whole or not at all. Errors: Upstream `files.unavailable`."""
        try:
            await self._store.put_async(key, body)
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store could not take the file; it will be tried again."
            ) from failed

    async def chunks(self, key: str) -> tuple[int, AsyncIterator[bytes]]:
        """Return how large an object is, and the object piece by piece. Errors: Missing, or Upstream `files.unavailable`."""
        try:
            result = await self._store.get_async(key)
        except FileNotFoundError as missing:
            raise Missing("file") from missing
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store does not answer. Try again in a moment."
            ) from failed
        return int(result.meta["size"]), _as_bytes(result.stream(min_chunk_size=_PIECE_BYTES))

    async def get(self, key: str) -> bytes:
        """Return an object. Errors: Missing, or Upstream `files.unavailable`."""
        try:
            result = await self._store.get_async(key)
            return bytes(await result.bytes_async())
        except FileNotFoundError as missing:
            raise Missing("file") from missing
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store does not answer. Try again in a moment."
            ) from failed

    async def names(self, folder: str) -> list[str]:
        """Return the keys of all objects in a folder, in no order. Errors: Upstream `files.unavailable`."""
        try:
            pages = self._store.list_async(f"{folder}/", chunk_size=1_000)
            return [found["path"] async for page in pages for found in page]
        except FileNotFoundError:
            return []
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store does not answer. Try again in a moment."
            ) from failed

    def open(self, key: str) -> BinaryIO:
        """Return an object to read and to seek in, a piece at a time: for a thread, never for the loop.

        Errors:  Missing, or Upstream `files.unavailable`; OSError while it is read.
        """
        try:
            return io.BufferedReader(_Pieces(obstore.open_reader(self._store, key)), _PIECE_BYTES)
        except FileNotFoundError as missing:
            raise Missing("file") from missing
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store does not answer. Try again in a moment."
            ) from failed

    async def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`, in order. Errors: Upstream `files.unavailable`."""
        try:
            return sorted([str(meta["path"]) async for batch in self._store.list(prefix) for meta in batch])
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store does not answer. Try again in a moment."
            ) from failed

    async def delete(self, key: str) -> None:
        """Delete an object; one that is gone already is no error. Errors: Upstream `files.unavailable`."""
        try:
            await self._store.delete_async(key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store could not delete the file; it will be tried again."
            ) from failed


async def _as_bytes(stream: Any) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield bytes(chunk)


class _Pieces(io.RawIOBase):
    """obstore's reader as Python's own are, so that zipfile and others can read from any store."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            piece = bytes(self._reader.read(len(buffer)))
        except BaseError as failed:
            raise OSError(str(failed)) from failed
        buffer[: len(piece)] = piece
        return len(piece)


def object_key(tenant_id: uuid.UUID, kind: str, name: str) -> str:
    """Return the key of a tenant's object; every tenant's objects share its prefix."""
    return f"{tenant_id}/{kind}/{name}"


def open_files(url: str, *, default_folder: Path) -> FileStore:
    """Open the store `url` names, or a folder of the state directory."""
    if url:
        return FileStore(from_url(url))
    default_folder.mkdir(parents=True, exist_ok=True)
    return FileStore(LocalStore(default_folder))
