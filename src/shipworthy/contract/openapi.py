"""OpenAPI 3.1 of an app, made of its manifest: for people's tools, and for the examiner's Schemathesis.

Pure. Says what the manifest says and nothing more: a route without a declared answer has none here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from shipworthy.contract.manifest import Manifest, Route

_PARAMETER = re.compile(r"\{(\w+)\}")
_MEDIA = {"json": "application/json", "html": "text/html", "file": "*/*"}
_EMPTY = 204
_LOCAL = "#/$defs/"
_REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')
_PROBLEM = {
    "type": "object",
    "title": "A refusal (RFC 9457)",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}


def openapi_of(manifest: Manifest, *, wanted: Callable[[Route], bool] = lambda _: True) -> dict[str, Any]:
    """Return the document of the console's routes that are `wanted`, in the order of the manifest."""
    components = _Components()
    paths: dict[str, Any] = {}
    for route in manifest.routes:
        if route.host == "console" and wanted(route):
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(manifest, route, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": manifest.app, "version": manifest.runtime or str(manifest.version)},
        "paths": paths,
        "components": {"schemas": components.schemas},
    }


def _operation(manifest: Manifest, route: Route, components: _Components) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.title or route.name,
        "tags": [route.room] if route.room else [],
        "parameters": _parameters(route, components),
        "responses": _responses(manifest, route, components),
    }
    if route.body is not None:
        content: dict[str, Any] = {"schema": components.hoisted(route.body)}
        if route.example is not None and "$" not in str(route.example):
            content["example"] = route.example
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    return made


def _parameters(route: Route, components: _Components) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(route.path)
    ]
    found += [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in route.headers
    ]
    if route.idempotency == "key":
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z0-9_-]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": key})
    if route.query is not None:
        asked = components.hoisted(route.query)
        asked = components.schemas[asked["$ref"].rpartition("/")[2]] if "$ref" in asked else asked
        must = asked.get("required", ())
        found += [
            {"name": name, "in": "query", "required": name in must, "schema": schema}
            for name, schema in asked.get("properties", {}).items()
        ]
    return found


def _responses(manifest: Manifest, route: Route, components: _Components) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status in route.statuses:
        found[str(status)] = {"description": "Done"}
        if status != _EMPTY:
            schema = components.hoisted(route.returns) if route.returns is not None else {}
            found[str(status)]["content"] = {_MEDIA[route.media]: {"schema": schema} if schema else {}}
    found["4XX"] = {"description": "Refused, and nothing was changed"}
    if route.media == "json" and manifest.runtime.startswith("shipworthy"):
        found["4XX"]["content"] = {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    return found


class _Components:
    """The document's own schemas. A name that means something else already gets a number: two rooms may both
    have a `Line`, and two bodies of one name may differ only in what they refer to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {"Problem": _PROBLEM}
        self._meanings: dict[str, str] = {}

    def hoisted(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema whose own definitions stand among the document's."""
        definitions = schema.get("$defs", {})
        names = {name: self._name(name, definitions) for name in definitions}
        for name, definition in definitions.items():
            self.schemas[names[name]] = _moved(definition, names)
        moved: dict[str, Any] = _moved({key: value for key, value in schema.items() if key != "$defs"}, names)
        return moved

    def _name(self, name: str, definitions: dict[str, Any]) -> str:
        meaning = json.dumps(
            {one: definitions[one] for one in sorted(_reached(name, definitions))}, sort_keys=True
        )
        taken, number = name, 1
        while taken in self.schemas and self._meanings.get(taken) != meaning:
            number += 1
            taken = f"{name}{number}"
        self._meanings[taken] = meaning
        return taken


def _reached(name: str, definitions: dict[str, Any]) -> set[str]:
    """Return a definition's name and those of all it refers to."""
    found, left = set(), [name]
    while left:
        one = left.pop()
        if one not in found and one in definitions:
            found.add(one)
            left += _REFERENCE.findall(json.dumps(definitions[one]))
    return found


def _moved(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: f"#/components/schemas/{names.get(inner[len(_LOCAL) :], inner[len(_LOCAL) :])}"
            if key == "$ref" and isinstance(inner, str) and inner.startswith(_LOCAL)
            else _moved(inner, names)
            for key, inner in value.items()
        }
    return [_moved(item, names) for item in value] if isinstance(value, (list, tuple)) else value
