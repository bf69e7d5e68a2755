"""Origins: where a request comes from, and where we are reached.

Cross-site requests are refused by where they come from, without a token to lose.

A browser says where an unsafe request comes from (Sec-Fetch-Site, else Origin). A request
that changes something must come from our own origin; one that says nothing at all comes from
no browser and carries no cookie it was tricked into sending, so it is refused only when a
cookie came with it.
Source: Fetch Metadata (W3C), and OWASP's CSRF cheat sheet on origin verification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shipworthy.kernel.errors import Forbidden
from shipworthy.kernel.language import _

if TYPE_CHECKING:
    from shipworthy.kernel.context import Ctx

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(method: str, headers: dict[str, str], *, host: str) -> None:
    """Errors: Forbidden `request.cross_site`."""
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise _cross_site()
    origin = headers.get("origin")
    if origin is not None:
        if _address_of(origin) == host:
            return
        raise _cross_site()
    if "cookie" in headers:
        raise _cross_site()


def origin_of(ctx: Ctx) -> str:
    """Return where this person reaches the console: a host the edge knows, at the installation's port.

    Only where no public port is set, the port is the one of the request.
    """
    http = ctx.runtime.settings.http
    if not http.public_port:
        return f"{http.public_scheme}://{ctx.host}"
    name = ctx.host.rpartition(":")[0] or ctx.host
    is_default = http.public_port == {"http": 80, "https": 443}[http.public_scheme]
    return f"{http.public_scheme}://{name}" + ("" if is_default else f":{http.public_port}")


def _address_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # "http://[": no address at all
        return ""


def _cross_site() -> Forbidden:
    return Forbidden(
        "request.cross_site",
        _(
            "This request came from another site. Open the page here and try again; programs send an Origin header."
        ),
    )
