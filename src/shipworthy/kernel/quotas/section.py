"""What is given to tenants, as `app.toml` says it (kernel/settings.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class QuotasSection:
    """[quotas]: what one tenant is given, in a month or (storage) at any time; 0: as much as it wants. `shipworthy
    tenant limit` gives one tenant something else."""

    pdf_ms_max: int = 0  # of the process that prints
    storage_bytes_max: int = 5 * 1024**3  # of everything it keeps in the file store
    crawl_bytes_max: int = 0  # of its website, sent to crawlers
    mails_max: int = 0  # to others; letters about its people's own accounts are not counted
    soft_percent: int = 90  # from here on it is served after others
    grace_percent: int = 0  # on top, until nothing more is begun
