"""Whether a database's data holds together: every tenant's audit chain, and what its rooms promise of theirs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from shipworthy.kernel.app import Installation, running
from shipworthy.kernel.audit.verify import verify_chain
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.setup import tenants_of
from shipworthy.kernel.room import Room
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """How much was looked at, and a sentence for each thing that does not hold."""

    tenants: int
    audit_rows: int
    wrong: tuple[str, ...]


async def look(
    settings: Settings, rooms: tuple[Room, ...], installation: Installation, *, admin_url: str
) -> Soundness:
    """Look at every tenant, as the app's own role.

    Cost:    reads every audit row, and whatever the rooms read.
    """
    nobody_signs_in = replace(settings, sessions=replace(settings.sessions, store="postgres"))
    wrong: list[str] = []
    audit_rows, tenants = 0, await tenants_of(admin_url)
    async with running(nobody_signs_in, rooms, installation) as runtime:
        for tenant_id, name, _ in tenants:
            scope = Scope(runtime.realm_id, tenant_id)
            report = await verify_chain(runtime.database, scope)
            audit_rows += report.sealed + report.unsealed
            if report.broken:
                wrong.append(f"{name}: audit row {report.broken.seq}: {report.broken.reason}")
            wrong += [f"{name}: {what}" for what in await _of_rooms(runtime, scope)]
    return Soundness(tenants=len(tenants), audit_rows=audit_rows, wrong=tuple(wrong))


async def _of_rooms(runtime: Runtime, scope: Scope) -> list[str]:
    ctx = Ctx(scope=scope, runtime=runtime, trace_id=uuid.uuid4().hex)
    found: list[str] = []
    async with ctx.begin() as tx:
        ctx.tx = tx
        for room in runtime.rooms:
            if room.sound is not None:
                found += await room.sound(ctx)
    return found
