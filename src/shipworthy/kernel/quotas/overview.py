"""All budgets of one tenant at once, with what was used day by day and what is to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.quotas.budget import Standing, q
from shipworthy.kernel.quotas.forecast import DAYS_MAX, Forecast, changes, forecast
from shipworthy.kernel.quotas.meters import METERS, day_of, given_by, period_of, renews_at
from shipworthy.kernel.quotas.section import QuotasSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One meter: how it stands, its days, what is expected, and how many jobs wait for it. `days` are what was used on
    each; of storage, how much stood at its end."""

    standing: Standing
    days: Mapping[date, int]
    forecast: Forecast | None
    waiting: int


async def budgets_of(tx: Tx, settings: QuotasSection, *, now: datetime) -> list[Budget]:
    """Return every meter of the tenant the transaction is scoped to, in the order of METERS. Two queries."""
    periods = [period_of(meter, now) for meter in METERS.values()]
    rows = {r["meter"]: r for r in await tx.all(q.budget_list, meters=list(METERS), periods=periods)}
    days: dict[str, dict[date, int]] = {name: {} for name in METERS}
    for row in await tx.all(q.usage_days, since=day_of(now) - timedelta(days=DAYS_MAX)):
        days.setdefault(row["meter"], {})[row["day"]] = row["amount"]
    found = []
    for name, meter in METERS.items():
        row = rows[name]
        standing = Standing(
            meter=meter,
            period=period_of(meter, now),
            used=row["used"],
            reserved=row["reserved"],
            given=given_by(settings, meter, row["most"], has_own=row["has_own"]),
            renews_at=renews_at(meter, now),
        )
        expected = forecast(
            days[name] if meter.is_monthly else changes(days[name]),
            used=standing.used,
            most=standing.given.most,
            now=now,
            ends_at=standing.renews_at,
        )
        found.append(Budget(standing=standing, days=days[name], forecast=expected, waiting=row["waiting"]))
    return found
