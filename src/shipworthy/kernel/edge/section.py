"""The edge's part of `app.toml` (kernel/settings.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class EdgeSection:
    """[edge]: how often somebody may ask. Whether what looks like an attack is refused, flags say (docs/how-to/edge.md)."""

    limits: Literal["memory", "valkey", "postgres"] = (
        "memory"  # each process counts for itself; the others count together
    )
    network_requests_per_minute: int = (
        6_000  # of one /24 or /56, by whom the console is asked; 0: as many as come
    )
    network_requests_burst: int = 600  # at once
    tenant_requests_per_minute: int = 0  # of everybody who acts for one tenant; 0: as many as come
    tenant_requests_burst: int = 600
    page_requests_per_minute: int = (
        1_200  # of one network, to published pages that are not kept ready; 0: as many as come
    )
    page_requests_burst: int = 300
    crs_dir: str = (
        ""  # OWASP's Core Rule Set (rules/*.conf); empty: the distribution's package, where it is installed
    )
    crawler_ranges_dir: str = (
        ""  # a folder with the lists that crawlers' owners publish (google.json, bing.json, …)
    )
    canary_accounts: tuple[str, ...] = ()  # addresses nobody has: who tries one has a stolen list
