"""`Runtime`: the long-lived parts of one process, made once by the composition root."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.kernel.context import utc_now
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.telemetry.spans import Tracer

if TYPE_CHECKING:
    from shipworthy.kernel.audit.keys import AuditKeys
    from shipworthy.kernel.context import Ctx, Principal
    from shipworthy.kernel.db.tx import Database, Tx
    from shipworthy.kernel.edge.parts import EdgeParts
    from shipworthy.kernel.files.links import FileLinks
    from shipworthy.kernel.files.store import FileStore
    from shipworthy.kernel.flags.flags import Flags
    from shipworthy.kernel.http.pages import Pages
    from shipworthy.kernel.mail.outbox import Mailer
    from shipworthy.kernel.room import Room
    from shipworthy.kernel.sessions.store import SessionStore
    from shipworthy.kernel.settings import Settings


def uuid7() -> uuid.UUID:
    """Return a time-ordered UUID (RFC 9562, version 7): millisecond clock, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return uuid.UUID(int=value)


@dataclass(slots=True)
class Runtime:
    """What handlers and jobs reach through `ctx.runtime`. `state` holds what rooms make at start."""

    settings: Settings
    database: Database
    sessions: SessionStore
    pages: Pages
    files: FileStore
    file_links: FileLinks
    audit_keys: AuditKeys
    flags: Flags
    mailer: Mailer
    edge: EdgeParts
    rooms: tuple[Room, ...]
    realm_id: uuid.UUID
    folder: Path  # the state directory
    signing_key: bytes
    now: Callable[[], datetime] = utc_now
    new_id: Callable[[], uuid.UUID] = uuid7
    metrics: Metrics = field(default_factory=Metrics)
    tracer: Tracer = field(default_factory=Tracer)
    runbook_folder: Path = Path("runbook")  # what `shipworthy runbook build` writes, for operators to read
    traces_file: Path | None = None  # where spans are kept, for operators to read; None: they go elsewhere
    state: dict[str, Any] = field(default_factory=dict)
    names: Callable[[Tx, Sequence[uuid.UUID]], Awaitable[dict[uuid.UUID, str]]] | None = (
        None  # of people, by id
    )
    owners: Callable[[Tx], Awaitable[list[tuple[str, str]]]] | None = (
        None  # a tenant's owners: address, language
    )
    bearers: Callable[[Ctx, str], Awaitable[Principal | None]] | None = None  # who an access token stands for
