"""What an operator does: look at the usage of tenants past row security, give one of them more or less, and check the sums."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from shipworthy.kernel.db.tx import connect_admin
from shipworthy.kernel.quotas.budget import q
from shipworthy.kernel.quotas.meters import METERS, Given, Meter, given_by, period_of
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.runtime import uuid7

_SCALES = {
    "bytes": {"": 1, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4},
    "ms": {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000},
    "pieces": {"": 1},
}
_MOST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One meter of one tenant in the period that is asked about."""

    tenant_id: uuid.UUID
    tenant: str
    meter: Meter
    used: int
    reserved: int
    given: Given
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A budget that does not say what its events and holds say."""

    tenant_id: uuid.UUID
    meter: str
    period: date
    used: int
    counted: int
    reserved: int
    held: int


def read_amount(meter: Meter, text: str) -> int:
    """Return "5 GB", "90min" or "1000" in the meter's own unit. Errors: ValueError, saying what can be written."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,3})?)\s*([a-z]*)", text.strip().lower())
    scale = _SCALES[meter.unit].get(found[2]) if found else None
    if found is None or scale is None:
        units = ", ".join(unit for unit in _SCALES[meter.unit] if unit) or "nothing: a number alone"
        raise ValueError(f"{text!r} is no amount of {meter.name}: a number and one of {units}")
    amount = int(Decimal(found[1]) * scale)
    if amount > _MOST:
        raise ValueError(f"{text!r} is more than anybody can count")
    return amount


async def usage_of(
    admin_url: str, settings: QuotasSection, *, now: datetime, tenant_id: uuid.UUID | None = None
) -> list[Usage]:
    """Return every meter of every tenant, or of one, by name."""
    connection = await connect_admin(admin_url)
    try:
        rows = await connection.fetch(
            """
            select t.tenant_id, t.name, wanted.meter, coalesce(b.used, 0) as used, coalesce(b.reserved, 0) as reserved,
              own.most, own.meter is not null as has_own,
              (select count(*) from job_waiting w where w.tenant_id = t.tenant_id and w.meter = wanted.meter) as waiting
            from tenant t cross join unnest($1::text[], $2::date[]) with ordinality as wanted (meter, period, place)
            left join budget b on b.tenant_id = t.tenant_id and b.meter = wanted.meter and b.period = wanted.period
            left join tenant_limit own on own.tenant_id = t.tenant_id and own.meter = wanted.meter
            where $3::uuid is null or t.tenant_id = $3 order by t.name, t.tenant_id, wanted.place
            """,
            list(METERS),
            [period_of(meter, now) for meter in METERS.values()],
            tenant_id,
        )
    finally:
        await connection.close()
    return [_usage(row, settings) for row in rows]


async def set_limit(
    admin_url: str, tenant_id: uuid.UUID, meter: Meter, most: int | None, *, is_default: bool, now: datetime
) -> bool:
    """Give a tenant so much of a meter (None: no limit), or what the app gives everybody; False where there is no such
    tenant. What waited for it goes on within seconds. Leaves a row in the tenant's audit trail."""
    connection = await connect_admin(admin_url)
    try:
        async with connection.transaction():
            realm_id = await connection.fetchval(
                "select realm_id from tenant where tenant_id = $1", tenant_id
            )
            if realm_id is None:
                return False
            await connection.execute(
                "select set_config('app.realm_id', $1, true), set_config('app.tenant_id', $2, true)",
                str(realm_id),
                str(tenant_id),
            )
            if is_default:
                await connection.execute(
                    "delete from tenant_limit where tenant_id = $1 and meter = $2", tenant_id, meter.name
                )
            else:
                await connection.execute(
                    "insert into tenant_limit (tenant_id, meter, most) values ($1, $2, $3)"
                    " on conflict (tenant_id, meter) do update set most = excluded.most",
                    tenant_id,
                    meter.name,
                    most,
                )
            await connection.execute(q.usage_due_add.sql, *q.usage_due_add.arguments({"at": now}))
            await connection.execute(
                q.audit_write.sql, *q.audit_write.arguments(_audit(meter, most, is_default, now))
            )
            return True
    finally:
        await connection.close()


async def drifts_of(admin_url: str) -> Sequence[Drift]:
    """Return every budget of every tenant that does not add up: none, unless something is broken."""
    connection = await connect_admin(admin_url)
    try:
        rows = await connection.fetch(
            """
            select b.tenant_id, b.meter, b.period, b.used, b.reserved,
              coalesce(e.amount, 0)::bigint as counted, coalesce(h.amount, 0)::bigint as held
            from budget b
            left join (select tenant_id, meter, period, sum(amount) as amount from usage_event group by 1, 2, 3) e
              on (e.tenant_id, e.meter, e.period) = (b.tenant_id, b.meter, b.period)
            left join (select tenant_id, meter, period, sum(amount) as amount from usage_hold group by 1, 2, 3) h
              on (h.tenant_id, h.meter, h.period) = (b.tenant_id, b.meter, b.period)
            where b.used <> coalesce(e.amount, 0) or b.reserved <> coalesce(h.amount, 0)
            order by 1, 2, 3
            """
        )
    finally:
        await connection.close()
    return [Drift(**dict(row)) for row in rows]


def _usage(row: Any, settings: QuotasSection) -> Usage:
    meter = METERS[row["meter"]]
    return Usage(
        tenant_id=row["tenant_id"],
        tenant=row["name"],
        meter=meter,
        used=row["used"],
        reserved=row["reserved"],
        given=given_by(settings, meter, row["most"], has_own=row["has_own"]),
        waiting=row["waiting"],
    )


def _audit(meter: Meter, most: int | None, is_default: bool, now: datetime) -> dict[str, object]:
    return {
        "audit_id": uuid7(),
        "at": now,
        "actor_id": None,
        "action": "tenant.limit_set",
        "object_type": "budget",
        "object_id": meter.name,
        "detail": json.dumps({"most": "default" if is_default else most}),
        "trace_id": "operator",
    }
