"""The sections of app.toml about who operates an app, and how: backups, on-call, duties."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class BackupSection:
    """[backup]: of the embedded database. `folder` empty: .shipworthy-backups beside app.toml; better another disk."""

    folder: str = ""
    keep: int = 7  # backups; what only older ones needed goes with them
    continuous: bool = (
        False  # `up` has every change there moments after it was made, so that any moment can come back
    )


@dataclass(frozen=True, kw_only=True)
class OncallSection:
    """[oncall]: who is woken, in turn; the runbook makes the calendar. A shift is at most a week."""

    people: tuple[str, ...] = ()
    begins: str = "2026-01-05"  # the day of the first shift
    hour_utc: int = 8
    shift_days: int = 7


@dataclass(frozen=True, kw_only=True)
class DutySection:
    """[raci.CLASS]: who repairs, who answers for it (one), who is asked, who is told; empty: the runbook's default."""

    responsible: str = ""
    accountable: str = ""
    consulted: str = ""
    informed: str = ""


@dataclass(frozen=True, kw_only=True)
class RaciSection:
    """[raci]: who does what, for each class of incidents."""

    availability: DutySection = field(default_factory=DutySection)
    data: DutySection = field(default_factory=DutySection)
    security: DutySection = field(default_factory=DutySection)
    delivery: DutySection = field(default_factory=DutySection)
    cost: DutySection = field(default_factory=DutySection)
    content: DutySection = field(default_factory=DutySection)
    usage: DutySection = field(default_factory=DutySection)
