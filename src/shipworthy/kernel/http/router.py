"""Matching a path to a declared route: fixed paths by dictionary, the others by pattern."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route

_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SEGMENT = r"[^/\x00-\x1f\x7f]{1,200}"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    kind = "method"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = sorted(allowed)
        said = _("This address takes {methods} only.", methods=", ".join(self.allowed))
        super().__init__("method_not_allowed", said)


class Router:
    """Find the route of a method and path. Parameters that end in `_id` are UUIDs."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            if _PARAMETER.search(route.path):
                pattern = self._patterns.setdefault(route.path, (_compile(route.path), {}))
                methods = pattern[1]
            else:
                methods = self._fixed.setdefault(route.path, {})
            if route.method in methods:
                raise ValueError(f"{route.method} {route.path} is declared twice")
            methods[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, list[object]]:
        """Return the route and its path parameters, in order.

        Errors:  Missing when no path fits, MethodNotAllowed when only the method does not.
        """
        method = "GET" if method == "HEAD" else method
        methods = self._fixed.get(path)
        if methods is not None:
            return _pick(methods, method), []
        for pattern, methods in self._patterns.values():
            if match := pattern.fullmatch(path):
                values = [
                    uuid.UUID(value) if name.endswith("_id") else value
                    for name, value in match.groupdict().items()
                ]
                return _pick(methods, method), values
        raise Missing()


def _pick(methods: dict[str, Route], method: str) -> Route:
    try:
        return methods[method]
    except KeyError:
        raise MethodNotAllowed(methods) from None


def _compile(path: str) -> re.Pattern[str]:
    pieces = []
    for i, part in enumerate(_PARAMETER.split(path)):  # literal, name, literal, name, …
        kind = _ID if part.endswith("_id") else _SEGMENT
        pieces.append(f"(?P<{part}>{kind})" if i % 2 else re.escape(part))
    return re.compile("".join(pieces))
