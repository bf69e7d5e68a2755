"""What an OpenAPI document says: the routes that can be asked as they stand, and the one that signs in.

Reads versions 2 (Swagger), 3.0 and 3.1 as JSON. A request needs a value for each id in its path, which
a document cannot know, so such routes are counted and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import RouteSection
from shipworthy.gauntlet.discover.draft import Draft, Seen

ROUTES_MAX = 60  # a file that a person still reads; the document has the rest
DEPTH_MAX = 6  # of an example made from a schema; one that refers to itself has no end
CHARS_MAX = 10_000  # of a text; a document may ask for any length
_METHODS = ("get", "post", "put", "patch", "delete")
_SIGNS_IN = re.compile(r"(sign|log)[-_]?in\b|/(session|token)s?$", re.IGNORECASE)
_GIVEN, _LISTED = ("example", "default", "const"), ("examples", "enum")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "examiner@sample.example",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "uri": "https://sample.example/",
}


class NoOpenApi(ValueError):
    """The text is no OpenAPI document; the message says what it is instead."""


def read_openapi(text: str, *, where: str) -> Draft:
    """Return what a document says. Errors: NoOpenApi."""
    try:
        document = json.loads(text)
    except ValueError as broken:
        hint = (
            " It looks like YAML: convert it to JSON first."
            if re.match(r"\s*(openapi|swagger):", text)
            else ""
        )
        raise NoOpenApi(f"{where} is not JSON ({broken}).{hint}") from broken
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise NoOpenApi(f"{where} is JSON, but no OpenAPI document: it has no 'paths'.")
    reader = _Reader(document)
    operations = list(reader.operations())
    login = next((found for one in operations if (found := reader.login(*one))), None)
    routes = [route for one in operations if (route := reader.route(*one)) and not _is(route, login)]
    left_out = sum("{" in path for _method, path, _operation in operations)
    title = document.get("info", {}).get("title") if isinstance(document.get("info"), dict) else None
    return Draft(
        name=Seen(title, f"{where}: info.title") if isinstance(title, str) and title else None,
        login=Seen(login, where) if login else None,
        routes=Seen(tuple(routes[:ROUTES_MAX]), where) if routes else None,
        notes=tuple(_notes(where, len(routes), left_out)),
    )


def _notes(where: str, routes: int, left_out: int) -> Iterator[str]:
    if routes > ROUTES_MAX:
        yield f"{where} has {routes} routes that can be asked; the first {ROUTES_MAX} are written here."
    if left_out:
        yield (
            f"{left_out} operations of {where} take an id in their path and were left out. With target.database and "
            "a [[sample]] that finds such an id, add them as [[route]]."
        )


def _is(route: RouteSection, login: Login | None) -> bool:
    return login is not None and login.route == f"{route.method} {route.path}"


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._base = str(document.get("basePath", "")).rstrip("/")

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, item in self._document["paths"].items():
            if isinstance(item, dict) and str(path).startswith("/"):
                for method in _METHODS:
                    if isinstance(item.get(method), dict):
                        shared = {
                            "parameters": [*_list(item, "parameters"), *_list(item[method], "parameters")]
                        }
                        yield method.upper(), self._base + str(path), {**item[method], **shared}

    def route(self, method: str, path: str, operation: dict[str, Any]) -> RouteSection | None:
        """Return an operation as a route to ask; None when it needs what the document does not know."""
        if "{" in path or method not in ("GET", "POST"):
            return None
        if any(
            self._resolved(one).get("required") and self._resolved(one).get("in") in ("query", "header")
            for one in operation["parameters"]
        ):
            return None
        body = None
        if method == "POST":
            body = self._body(operation, _JSON)
            if not isinstance(body, dict):
                return None
        return RouteSection(
            method=method,
            path=path,
            expect=_successes(operation),
            json=body,
            auth="session" if self._is_private(operation) else "public",
        )

    def login(self, method: str, path: str, operation: dict[str, Any]) -> Login | None:
        """Return an operation as the way to sign in, if it takes a password and is called so."""
        if method != "POST" or "{" in path or not _SIGNS_IN.search(path):
            return None
        for media, name in ((_JSON, "json"), (_FORM, "form")):
            fields = self._fields(operation, media)
            secret = next((field for field in fields if "password" in field.lower()), None)
            who = next((f for f in fields if re.search(r"e-?mail|user(name)?|login", f, re.IGNORECASE)), None)
            if secret and who:
                form = {who: "{email}", secret: "{password}"}
                return Login(
                    route=f"POST {path}",
                    form=form,
                    media="json" if name == "json" else "form",
                    ok=_successes(operation),
                )
        return None

    def _fields(self, operation: dict[str, Any], media: str) -> list[str]:
        return list(_dict(self._resolved(self._schema(operation, media)), "properties"))

    def _body(self, operation: dict[str, Any], media: str) -> Any:
        content = _dict(_dict(self._resolved(operation.get("requestBody")), "content"), media)
        if "example" in content:
            return content["example"]
        for example in _dict(content, "examples").values():
            if "value" in self._resolved(example):
                return self._resolved(example)["value"]
        schema = self._schema(operation, media)
        return self._example(schema) if schema else None

    def _schema(self, operation: dict[str, Any], media: str) -> dict[str, Any]:
        content = _dict(self._resolved(operation.get("requestBody")), "content")
        if media in content:
            return _dict(_dict(content, media), "schema")
        bodies = (self._resolved(one) for one in operation["parameters"])  # version 2 puts the body there
        return next((_dict(one, "schema") for one in bodies if one.get("in") == "body"), {})

    def _example(self, schema: Any, depth: int = 0) -> Any:
        """Return a value that fits a schema, with what is required and nothing more."""
        schema = self._resolved(schema)
        if depth > DEPTH_MAX:
            return None
        if given := [schema[key] for key in _GIVEN if key in schema] + [
            one for key in _LISTED for one in _list(schema, key)[:1]
        ]:
            return given[0]
        if parts := [self._example(one, depth + 1) for one in _list(schema, "allOf")]:
            return {k: v for part in parts if isinstance(part, dict) for k, v in part.items()}
        if choices := _list(schema, "anyOf") + _list(schema, "oneOf"):
            return self._example(choices[0], depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), None)
        if kind == "object" or "properties" in schema:
            needed, properties = _list(schema, "required"), _dict(schema, "properties")
            return {name: self._example(properties[name], depth + 1) for name in properties if name in needed}
        if kind == "array":
            return [self._example(schema.get("items"), depth + 1)] if schema.get("minItems") else []
        if kind in ("integer", "number"):
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            return max(1, int(least) + 1) if isinstance(least, (int, float)) and abs(least) < 2**53 else 1
        if kind == "boolean":
            return True
        text = _FORMATS.get(str(schema.get("format")), "an example of the examiner")
        return text[: _count(schema, "maxLength", len(text))].ljust(_count(schema, "minLength", 0), "x")

    def _is_private(self, operation: dict[str, Any]) -> bool:
        holder = operation if "security" in operation else self._document
        needs = _list(holder, "security")
        return bool(needs) and {} not in needs

    def _resolved(self, value: Any) -> dict[str, Any]:
        """Follow references within the document; one that leads nowhere, or in a circle, is empty."""
        for _ in range(DEPTH_MAX):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                break
            place: Any = self._document
            for step in value["$ref"].removeprefix("#/").split("/"):
                place = (
                    place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else None
                )
            value = place
        return value if isinstance(value, dict) and "$ref" not in value else {}


def _successes(operation: dict[str, Any]) -> tuple[int, ...]:
    codes = [
        int(code) for code in _dict(operation, "responses") if str(code).isdigit() and 200 <= int(code) < 400
    ]
    return tuple(codes) or (200,)


def _count(schema: dict[str, Any], name: str, otherwise: int) -> int:
    value = schema.get(name)
    return min(value, CHARS_MAX) if isinstance(value, int) and value >= 0 else otherwise


def _list(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    return value if isinstance(value, list) else []


def _dict(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
