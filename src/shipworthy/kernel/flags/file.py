"""`flags.json`: what is on and for whom, in flagd's format. Read strictly: half understood is not understood.

    {"flags": {"invoicing.customer_import": {
        "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on",
        "targeting": {"if": [{"in": [{"var": "tenant"}, ["3f0c…"]]}, "off"]}}}}

Source:  https://flagd.dev/reference/flag-definitions/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.flags.targeting import check

FLAGS_FILE = "flags.json"
BYTES_MAX = 1_048_576
_KEYS = {"state", "variants", "defaultVariant", "targeting", "metadata"}


@dataclass(frozen=True)
class FlagState:
    """One flag as the file has it. `is_killed` is its switch: then the default of the code stands."""

    name: str
    is_killed: bool
    variants: Mapping[str, Any]
    default_variant: str
    targeting: Any = None


@dataclass(frozen=True)
class FlagSet:
    """The file, whole."""

    flags: Mapping[str, FlagState] = field(default_factory=dict)


def read_flags(text: str) -> FlagSet:
    """Return what the file says.

    Errors:  Undecodable naming the flag and what is wrong with it.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as broken:
        line = getattr(broken, "lineno", None)
        raise Undecodable(f"not valid JSON: {broken}", path="", line=line, source=FLAGS_FILE) from broken
    flags = data.get("flags") if isinstance(data, dict) else None
    if not isinstance(flags, dict):
        raise _wrong("", 'an object {"flags": {…}} is wanted')
    if unknown := sorted(set(data) - {"flags", "$schema", "metadata"}):
        raise _wrong(unknown[0], "is not understood; known: flags, $schema, metadata")
    return FlagSet({name: _flag(name, said) for name, said in flags.items()})


def _flag(name: str, said: Any) -> FlagState:
    if not isinstance(said, dict):
        raise _wrong(name, "an object is wanted")
    if unknown := sorted(set(said) - _KEYS):
        raise _wrong(f"{name}.{unknown[0]}", f"is not understood; known: {', '.join(sorted(_KEYS))}")
    if said.get("state") not in ("ENABLED", "DISABLED"):
        raise _wrong(f"{name}.state", f'must be "ENABLED" or "DISABLED", not {said.get("state")!r}')
    variants = said.get("variants")
    if not isinstance(variants, dict) or not variants:
        raise _wrong(f"{name}.variants", "an object with at least one variant is wanted")
    default = said.get("defaultVariant")
    if default not in variants:
        raise _wrong(f"{name}.defaultVariant", f"must be one of {', '.join(variants)}, not {default!r}")
    targeting = said.get("targeting") or None
    if targeting is not None and (problem := check(targeting, variants)):
        raise _wrong(f"{name}.targeting", problem)
    return FlagState(name, said["state"] == "DISABLED", variants, str(default), targeting)


def _wrong(path: str, problem: str) -> Undecodable:
    return Undecodable(f"{path or 'the file'}: {problem}", path=path, source=FLAGS_FILE)
