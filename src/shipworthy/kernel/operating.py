"""The section of app.toml about how an app is operated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BackupSection:
    """[backup]: of the embedded database. `folder` empty: .shipworthy-backups beside app.toml; better another disk."""

    folder: str = ""
    keep: int = 7  # backups; what only older ones needed goes with them
    continuous: bool = (
        False  # `up` has every change there moments after it was made, so that any moment can come back
    )
