"""What the runbook is drawn from: the manifest, and what `cli` knows of the installation besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipworthy.contract.manifest import Manifest
from shipworthy.runbook.diagrams import Column


@dataclass(frozen=True, kw_only=True)
class ErrorCode:
    """One refusal: its stable code, the HTTP status, what it says."""

    code: str
    status: int
    says: str

    @property
    def family(self) -> str:
        return self.code.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class OnCall:
    """[oncall] of app.toml."""

    people: tuple[str, ...] = ()
    begins: str = "2026-01-05"  # a Monday
    hour_utc: int = 8
    shift_days: int = 7


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything a build reads. `alerts` are the names of what can alert: the objectives, and the tenants' budgets."""

    manifest: Manifest
    codes: tuple[ErrorCode, ...]
    columns: tuple[Column, ...] = ()
    oncall: OnCall = field(default_factory=OnCall)
    raci: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def alerts(self) -> tuple[str, ...]:
        budgets = ("budgets",) if any(table.name == "budget" for table in self.manifest.tables) else ()
        return (*(slo.name for slo in self.manifest.slos), *budgets)

    @property
    def families(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(code.family for code in sorted(self.codes, key=lambda code: code.code)))
