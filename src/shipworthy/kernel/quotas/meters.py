"""The meters: what is counted, over which time, and how much of it a tenant is given. Knows no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from shipworthy.kernel.language import mark
from shipworthy.kernel.quotas.section import QuotasSection

MeterName = Literal["pdf_ms", "storage_bytes", "crawl_bytes", "mails"]
STANDING = date(1970, 1, 1)  # the one period of what does not begin anew each month


@dataclass(frozen=True, kw_only=True)
class Meter:
    """One thing that is counted. `estimate` is reserved for a job of which nothing is known yet."""

    name: MeterName
    title: str
    unit: Literal["ms", "bytes", "pieces"]
    is_monthly: bool = True
    estimate: int = 1


PDF_MS = Meter(name="pdf_ms", title=mark("PDF time"), unit="ms", estimate=100)
STORAGE_BYTES = Meter(name="storage_bytes", title=mark("Storage"), unit="bytes", is_monthly=False)
CRAWL_BYTES = Meter(name="crawl_bytes", title=mark("Crawler traffic"), unit="bytes")
MAILS = Meter(name="mails", title=mark("Mail allowance"), unit="pieces")
METERS: Mapping[str, Meter] = {m.name: m for m in (PDF_MS, STORAGE_BYTES, CRAWL_BYTES, MAILS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a tenant is given of one meter; `most` None: as much as it wants."""

    most: int | None
    soft_percent: int
    grace_percent: int

    @property
    def soft_at(self) -> int | None:
        """From here on what is used is degraded."""
        return None if self.most is None else self.most * self.soft_percent // 100

    @property
    def hard_at(self) -> int | None:
        """From here on nothing more is begun: what was given, and the grace on top."""
        return None if self.most is None else self.most * (100 + self.grace_percent) // 100


def given_by(settings: QuotasSection, meter: Meter, own: int | None, *, has_own: bool) -> Given:
    """Return what a tenant is given: the operator's word for it (`own`), else what the app gives everybody."""
    everybody: int = getattr(settings, f"{meter.name}_max")
    return Given(
        most=own if has_own else (everybody or None),
        soft_percent=settings.soft_percent,
        grace_percent=settings.grace_percent,
    )


def period_of(meter: Meter, now: datetime) -> date:
    """Return the period that `now` is in: months of UTC, so that all of an installation renew at once."""
    return now.astimezone(UTC).date().replace(day=1) if meter.is_monthly else STANDING


def renews_at(meter: Meter, now: datetime) -> datetime | None:
    """Return when the meter begins anew; None for what stands until somebody frees some."""
    if not meter.is_monthly:
        return None
    later = (now.astimezone(UTC).replace(day=1) + timedelta(days=32)).replace(day=1)
    return later.replace(hour=0, minute=0, second=0, microsecond=0)


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()
