"""The handle of a stub in another process: three addresses on a port of its own, behind a secret.

`PUT /conduct` takes a Conduct as JSON, `POST /rotate` {"keep_old": bool}, `PUT /clients` a
Client; `GET /` tells the issuer, conduct, people and counts.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.gauntlet.idp.conduct import Conduct
from shipworthy.gauntlet.idp.registry import Client
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.idp.web import Request, Response


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The body of POST /rotate."""

    keep_old: bool = False


class Control:
    """Answers the requests of whoever holds the secret."""

    def __init__(self, stub: Stub, secret: str) -> None:
        assert secret, "a control without a secret is everybody's"
        self._stub, self._secret = stub, secret
        self._under_way: set[asyncio.Task[None]] = set()

    def answer(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._secret}".encode()):
            return _json({"error": "authorization: Bearer SECRET is needed"}, status=401)
        try:
            return self._done(request)
        except Undecodable as wrong:
            return _json({"error": str(wrong)}, status=422)

    def _done(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/":
                return _json(self._state())
            case "PUT", "/conduct":
                self._begin(_read(Conduct, request.body))
            case "POST", "/rotate":
                self._stub.rotate(keep_old=_read(Rotation, request.body).keep_old)
            case "PUT", "/clients":
                self._stub.register(_read(Client, request.body))
            case _:
                return _json({"error": f"there is no {request.method} {request.path}"}, status=404)
        return _json({})

    def _begin(self, conduct: Conduct) -> None:
        """Listening and refusing take a turn of the loop; the conduct itself holds at once."""
        task = asyncio.ensure_future(self._stub.follow(conduct))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _state(self) -> dict[str, Any]:
        stub = self._stub
        return {
            "issuer": stub.issuer,
            "conduct": encode(stub.conduct),
            "people": encode(stub.people),
            "counts": stub.counts,
        }


def _read(kind: Any, body: bytes) -> Any:
    try:
        data = json.loads(body or b"{}")
    except ValueError as broken:
        raise Undecodable(f"not JSON: {broken}", path="", source="the request") from broken
    return decode(kind, data, source="the request")


def _json(data: object, *, status: int = 200) -> Response:
    return Response(
        status=status, body=json.dumps(data).encode(), headers={"content-type": "application/json"}
    )
