"""JSON Schema of `app.toml`, from the classes that read it: for editors, and for the model that fills in a spec.

`python -m shipworthy.builder.schema --write` renews the committed file; `make check` compares it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from shipworthy.contract.schema import renewed, schema_of
from shipworthy.kernel.settings import Settings

SCHEMA_FILE = "app.schema.json"


def app_schema() -> dict[str, Any]:
    """Return the schema: what `load_settings` takes is valid, an unknown key is not."""
    return schema_of(Settings, title="app.toml")


def schema_text() -> str:
    """Return the shipped schema, as a new app gets it beside its app.toml."""
    return (Path(__file__).parent / SCHEMA_FILE).read_text(encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(renewed({SCHEMA_FILE: app_schema()}, Path(__file__).parent, sys.argv[1:]))
