"""What stands under the address of a picture. Asks the file store and nothing else: no page waits for the
database to show its pictures."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from shipworthy.kernel.errors import Busy, Missing, Upstream
from shipworthy.kernel.files.store import FileStore
from shipworthy.rooms.site.assets.image import media_type_of
from shipworthy.rooms.site.assets.names import asked_for, master_object, variant_object


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes to send. `is_final`: they are what this address will show for ever."""

    body: bytes
    media_type: str
    is_final: bool


async def load_picture(
    files: FileStore, tenant_id: uuid.UUID, raw_path: bytes, *, is_private: bool = False
) -> Picture | None:
    """Return the form an address asks for; until it is made, the whole picture stands in for it.

    Errors:  Busy while the file store is away.
    """
    asked = asked_for(raw_path)
    if asked is None:
        return None
    key, slug, width, format = asked
    try:
        body = await _found(files, variant_object(tenant_id, key, slug, width, format, is_private=is_private))
        if body is not None:
            return Picture(body, media_type_of(body), is_final=True)
        body = await _found(files, master_object(tenant_id, key, slug, is_private=is_private))
    except Upstream as away:
        raise Busy(away.code, away.message, retry_after_s=5) from away
    return Picture(body, media_type_of(body), is_final=False) if body is not None else None


async def _found(files: FileStore, key: str) -> bytes | None:
    try:
        return await files.get(key)
    except Missing:
        return None
