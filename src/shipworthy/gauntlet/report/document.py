"""The result document: one run as versioned JSON, for machines, for history and for `read_json`.

Its schema is contract/result.schema.json. A new version number means an old reader would be
wrong; added keys need none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from shipworthy.contract.finding import RunResult
from shipworthy.contract.schema import RESULT_VERSION
from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.contract.verdict import ExitCode, exit_code

_SUMMARY = ("schema", "verdict", "exit_code", "coverage", "coverage_of_subjects")  # computed; never read back


def exit_code_of(result: RunResult) -> ExitCode:
    """Return how a command that made this run must end; an invalid run claims nothing."""
    return exit_code(result.verdict) if result.valid else ExitCode.INVALID_RUN


def document_of(result: RunResult) -> dict[str, Any]:
    """Return the run as plain JSON data, with its summary in front."""
    return {
        "schema": RESULT_VERSION,
        "verdict": str(result.verdict),
        "exit_code": int(exit_code_of(result)),
        "coverage": result.coverage,
        "coverage_of_subjects": result.coverage_of_subjects,
        **encode(result),
    }


def write_json(result: RunResult, path: Path) -> None:
    """Write the run to `path`, whole or not at all.

    Errors:  ValueError when a number is not finite: JSON has no word for it, and a reader
             in another language would choke on ours.
    """
    text = json.dumps(document_of(result), indent=1, ensure_ascii=False, allow_nan=False)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    # A lone surrogate (half a character out of a broken response) cannot be written as UTF-8.
    unfinished.write_text(text + "\n", encoding="utf-8", errors="replace")
    unfinished.replace(path)


def read_json(path: Path) -> RunResult:
    """Return the run that `write_json` wrote.

    Errors:  Undecodable when it is of another version or does not fit, with the line.
    """
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    version = data.get("schema") if isinstance(data, dict) else None
    if version != RESULT_VERSION:
        known = f"this program reads version {RESULT_VERSION}"
        raise Undecodable(
            f"not a result of version {RESULT_VERSION} (found {version!r}); {known}",
            path="schema",
            source=str(path),
        )
    bare = {key: value for key, value in data.items() if key not in _SUMMARY}
    return decode(RunResult, bare, source=str(path), text=text)
