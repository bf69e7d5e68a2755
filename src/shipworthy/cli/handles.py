"""The handle that a running app wrote (`up --handle FILE`), as an instance to load or to break."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.contract.target import Handle


class Running:
    """The instance of a handle file, read again at each look: a supervisor restarts what dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def handle(self) -> Handle:
        from shipworthy.contract.strict import decode
        from shipworthy.contract.target import Handle

        try:
            text = self._path.read_text(encoding="utf-8")
            return decode(Handle, json.loads(text), source=self._path.name, text=text)
        except OSError as failed:
            raise click.UsageError(
                f"the handle {self._path} cannot be read: {failed.strerror}. Is the app up?"
            ) from failed
        except json.JSONDecodeError as broken:
            raise click.UsageError(f"{self._path} is not a handle: {broken}") from broken

    def died(self) -> str:
        return ""
