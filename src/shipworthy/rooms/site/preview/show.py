"""Looking at a page that nobody sees yet: where it is, and what the preview host answers. Nothing of it is kept.

Every answer of the host is for nobody's index. The page itself can run no script, is fetched anew each time, says
nothing to the places it links to, and may stand in a frame of the console alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.addresses import encoded
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.hosts import Site
from shipworthy.rooms.site.preview.token import PARAMETER, make_token, page_of
from shipworthy.rooms.site.render import HTML, origin, preview_csp, render_preview
from shipworthy.rooms.site.shelf import Header

_PARAMETERS_MAX = 20


def preview_address(ctx: Ctx, page: Record, site: Record) -> str:
    """Return where somebody sees the newest version of a page, for an hour.

    Errors:  Conflict `site.no_preview_host`.
    """
    if site["preview_host"] is None:
        raise Conflict(
            "site.no_preview_host", _("This website has no host for previews. Ask the operator for one.")
        )
    token = make_token(
        ctx.runtime.signing_key, site_id=page["site_id"], page_id=page["page_id"], now=ctx.now()
    )
    here = origin(ctx.runtime.settings, site["preview_host"])
    return f"{here}{encoded(page['path'])}?{urlencode({PARAMETER: token})}"


def preview_origin(ctx: Ctx, site: Mapping[str, Any]) -> str:
    """Return where a site's previews are shown, for the console's page that frames them."""
    return origin(ctx.runtime.settings, site["preview_host"])


async def show_preview(
    runtime: Runtime, site: Site, query_string: bytes
) -> tuple[list[Header], bytes] | None:
    """Return the page a request's token opens, as headers and body; None for every other request."""
    page_id = _asked_page(runtime, site, query_string)
    if page_id is None:
        return None
    async with runtime.database.begin(Scope(runtime.realm_id, site.tenant_id)) as tx:
        page = await tx.maybe(q.page_get, page_id=page_id)
        if page is None:
            return None
        around: Any = await tx.one(q.published_page, site_id=site.site_id, path=page["path"])
    shown = {"site_origin": site.origin, "locale": site.locale}
    body = render_preview(runtime.pages, {**around, **page}, around["menu"], **shown)
    return _headers(runtime.settings, site, body), body


def _asked_page(runtime: Runtime, site: Site, query_string: bytes) -> uuid.UUID | None:
    try:
        pairs = parse_qsl(query_string.decode("ascii"), max_num_fields=_PARAMETERS_MAX)
    except ValueError:
        return None
    token = dict(pairs).get(PARAMETER, "")
    return page_of(runtime.signing_key, token, site_id=site.site_id, now=runtime.now())


def _headers(settings: Settings, site: Site, body: bytes) -> list[Header]:
    consoles = [origin(settings, host) for host in settings.app.hosts]
    policy = preview_csp(site.origin, frame_ancestors=consoles)
    return [
        (b"content-type", HTML.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", policy.encode()),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex, nofollow"),
    ]
