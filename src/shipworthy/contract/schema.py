"""JSON Schema 2020-12 of the files people write and read, generated from the contract's classes.

Owns the three committed files beside it, for editors and for programs in other languages:
the manifest, `gauntlet.toml`, and the result document. The classes are the truth; a test
holds the files against them. `python -m shipworthy.contract.schema --write` renews them.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any

from shipworthy.contract.finding import RunResult
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.strict import encode
from shipworthy.contract.target import GauntletFile
from shipworthy.contract.verdict import ExitCode, Verdict

RESULT_VERSION = 1  # of the result document; a change that breaks a reader raises it

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_FIELD_COMMENT = re.compile(r"^    (\w+): .*?#\s*(.+)$", re.MULTILINE)


def schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by the name of its file."""
    return {
        "manifest.schema.json": schema_of(Manifest, title="Shipworthy manifest"),
        "gauntlet.schema.json": schema_of(GauntletFile, title="gauntlet.toml"),
        "result.schema.json": result_schema(),
    }


def schema_of(cls: type[Any], *, title: str) -> dict[str, Any]:
    """Return the schema of a dataclass: what `strict.decode` takes is valid, what it refuses is not.

    Class docstrings and the comments behind fields become descriptions.
    """
    definitions: dict[str, Any] = {}
    root = _record(cls, definitions)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return {**head, **root, "$defs": dict(sorted(definitions.items()))}


def result_schema() -> dict[str, Any]:
    """Return the schema of a result file: a RunResult and the summary computed from it."""
    schema = schema_of(RunResult, title="Shipworthy gauntlet result")
    summary = {
        "schema": {"const": RESULT_VERSION},
        "verdict": {"enum": [str(v) for v in Verdict]},
        "exit_code": {"enum": [int(c) for c in ExitCode]},
        "coverage": {"type": "number", "minimum": 0, "maximum": 1},
        "coverage_of_subjects": {"type": "number", "minimum": 0, "maximum": 1},
    }
    schema["properties"] = {**summary, **schema["properties"]}
    schema["required"] = [*summary, *schema["required"]]
    return schema


def _record(cls: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    comments = dict(_FIELD_COMMENT.findall(inspect.getsource(cls)))
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in dataclasses.fields(cls):
        prop = _value(hints[field.name], definitions)
        if field.name in comments:
            prop["description"] = comments[field.name]
        default = _default(field)
        if default is dataclasses.MISSING:
            required.append(field.name)
        elif not isinstance(default, dict) or not default:
            prop["default"] = default
        properties[field.name] = prop
    return {
        "description": " ".join((inspect.getdoc(cls) or "").split()),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return encode(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return encode(field.default_factory())
    return dataclasses.MISSING


def _value(want: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, args = typing.get_origin(want), typing.get_args(want)
    if want is Any:
        return {}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_value(a, definitions) for a in args]}
    if origin in (tuple, list):
        return _list(args, definitions)
    if origin is dict:
        return {"type": "object", "additionalProperties": _value(args[1], definitions)}
    return _leaf(want, definitions)


def _list(args: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if len(args) == 1 or args[1] is Ellipsis:
        return {"type": "array", "items": _value(args[0], definitions)}
    entries = [_value(a, definitions) for a in args]
    return {"type": "array", "prefixItems": entries, "items": False, "minItems": len(entries)}


def _leaf(want: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if want is type(None):
        return {"type": "null"}
    if typing.get_origin(want) is typing.Literal:
        return {"enum": list(typing.get_args(want))}
    if dataclasses.is_dataclass(want):
        name = typing.cast("type[Any]", want).__name__
        if name not in definitions:
            definitions[name] = _record(typing.cast("type[Any]", want), definitions)
        return {"$ref": f"#/$defs/{name}"}
    if issubclass(want, Enum):
        return {"enum": [encode(member) for member in want]}
    return {"type": _SCALARS[want]}


def main(arguments: list[str]) -> int:
    """Compare the committed files with the classes, or renew them (`--write`)."""
    return renewed(schemas(), Path(__file__).parent, arguments)


def renewed(made: dict[str, dict[str, Any]], folder: Path, arguments: list[str]) -> int:
    """Compare a folder's schemas with those that are made, or renew them (`--write`); return the exit code."""
    stale = []
    for name, schema in made.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--write" in arguments:
            path.write_text(text, encoding="utf-8")
    verb = "written" if "--write" in arguments else "stale, renew with --write"
    sys.stdout.writelines(f"{name}: {verb}\n" for name in stale)
    return int(bool(stale) and "--write" not in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
