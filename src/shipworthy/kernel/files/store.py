"""Object storage through obstore. Keys are tenant/kind/name; contents never change."""

from __future__ import annotations

import uuid
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shipworthy.kernel.errors import Missing, Upstream


class FileStore:
    """Puts and gets whole objects."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, body: bytes) -> None:
        """Store `body`; whole or not at all. Errors: Upstream `files.unavailable`."""
        try:
            await self._store.put_async(key, body)
        except (BaseError, OSError) as failed:
            raise Upstream(
                "files.unavailable", "The file store could not take the file; it will be tried again."
            ) from failed

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


def object_key(tenant_id: uuid.UUID, kind: str, name: str) -> str:
    """Return the key of a tenant's object; every tenant's objects share its prefix."""
    return f"{tenant_id}/{kind}/{name}"


def open_files(url: str, *, default_folder: Path) -> FileStore:
    """Open the store `url` names, or a folder of the state directory."""
    if url:
        return FileStore(from_url(url))
    default_folder.mkdir(parents=True, exist_ok=True)
    return FileStore(LocalStore(default_folder))
