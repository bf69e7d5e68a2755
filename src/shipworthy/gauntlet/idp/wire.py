"""Answers spoilt on their way: late, cut, enormous, no JSON, or sending the reader in circles."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.gauntlet.idp.conduct import Conduct
from shipworthy.gauntlet.idp.web import Request, Response

HUGE_BYTES = 10 * 1024 * 1024
# Begins like JSON and says it is JSON: a reader that trusts the length or the type reads it all.
_HUGE = b'{"keys":[' + b" " * (HUGE_BYTES - 11) + b"]}"
_HTML = b"<!doctype html><title>Maintenance</title><p>We will be back shortly."


def bent(  # noqa: PLR0911 - one line for each fault
    response: Response, request: Request, conduct: Conduct, endpoint: str
) -> Response:
    """Return the answer as the conduct's wire fault leaves it, at the endpoints it is for."""
    if conduct.wire is None or endpoint not in conduct.at:
        return response
    match conduct.wire:
        case "slow":
            return replace(response, delay_s=conduct.delay_s)
        case "unavailable":
            return Response(
                status=503, body=_HTML, headers={"content-type": "text/html", "retry-after": "60"}
            )
        case "not_json":
            return replace(response, body=_HTML)
        case "truncated":
            return replace(response, is_cut=True)
        case "huge":
            return replace(response, body=_HUGE)
        case "redirect_loop":
            return Response(status=307, headers={"location": request.path})
        case _:
            return response  # "refused" happens at the listener
