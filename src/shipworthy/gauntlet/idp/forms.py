"""Reading parameters and writing answers, as every endpoint does it."""

from __future__ import annotations

import json
from collections import Counter
from urllib.parse import parse_qsl

from shipworthy.gauntlet.idp.web import Response

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def parameters(text: str) -> dict[str, str]:
    """Read form or query parameters. One that comes twice counts as absent (RFC 6749 3.1 forbids it)."""
    pairs = parse_qsl(text, keep_blank_values=True)
    seen = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if seen[name] == 1}


def as_json(data: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(data, separators=(",", ":")).encode()
    return Response(status=status, body=body, headers={"content-type": "application/json", **(headers or {})})


def page(status: int, text: str) -> Response:
    return Response(
        status=status, body=text.encode(), headers={"content-type": "text/plain; charset=utf-8", **NO_STORE}
    )
