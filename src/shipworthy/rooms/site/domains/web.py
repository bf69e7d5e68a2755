"""HTTP for a site's domains, for programs and for people."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.route import route
from shipworthy.rooms.site.domains.claims import (
    Domains,
    choose_primary,
    claim_domain,
    is_given,
    list_domains,
    remove_domain,
    txt_of,
    verify_domain,
)
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.sites.chosen import made_for, site_of

_AT = "/site/domains"
_ROLES = {
    "primary": mark("The site lives here"),
    "alias": mark("Leads to where the site lives"),
    "preview": mark("Previews, for you alone"),
}
_BADGES = {"primary": "active", "alias": "open", "preview": "draft"}


class DomainBody(Body):
    host: Annotated[str, Meta(max_length=400)] = ""


class DomainForm(DomainBody):
    """`site` is the one the form was made for."""

    site: Annotated[str, Meta(max_length=40)] = ""


async def api_list_domains(ctx: Ctx) -> Any:
    domains = await _domains(ctx, await site_of(ctx))
    return {
        "hosts": [{name: row[name] for name in ("host", "role")} for row in domains.hosts],
        "claims": [_claim_json(claim) for claim in domains.claims],
    }


async def api_claim_domain(ctx: Ctx, body: DomainBody) -> Json:
    return Json(_claim_json(await claim_domain(ctx, body.host)), status=201)


async def api_verify_domain(ctx: Ctx, claim_id: uuid.UUID) -> Any:
    return _claim_json(await verify_domain(ctx, claim_id))


async def api_remove_domain(ctx: Ctx, claim_id: uuid.UUID) -> None:
    await remove_domain(ctx, claim_id)


async def api_choose_primary(ctx: Ctx, host: str) -> Any:
    await choose_primary(ctx, host)
    return await api_list_domains(ctx)


async def domains_page(ctx: Ctx) -> Page:
    return await _screen(ctx)


async def submit_domain(ctx: Ctx, form: DomainForm) -> Redirect:
    made_for(ctx, form.site)
    try:
        claim = await claim_domain(ctx, form.host)
    except Refusal as refused:
        raise refused.shown_on(await _screen(ctx, form.host, refused)) from None
    return Redirect(
        f"{_AT}#claim-{claim['claim_id']}", flash=_("Now show that {host} is yours.", host=claim["host"])
    )


async def submit_verify(ctx: Ctx, claim_id: uuid.UUID) -> Redirect:
    try:
        claim = await verify_domain(ctx, claim_id)
    except Refusal as refused:
        if refused.kind == "missing":
            raise
        async with ctx.begin() as tx:
            ctx.tx = tx
            raise refused.shown_on(await _screen(ctx, refused=refused)) from None
    return Redirect(_AT, flash=_("{host} is yours. It leads to your site now.", host=claim["host"]))


async def submit_remove(ctx: Ctx, claim_id: uuid.UUID) -> Redirect:
    try:
        host = await remove_domain(ctx, claim_id)
    except Refusal as refused:
        if refused.kind == "missing":
            raise
        raise refused.shown_on(await _screen(ctx, refused=refused)) from None
    return Redirect(_AT, flash=_("{host} is removed. Nothing answers there any longer.", host=host))


async def submit_primary(ctx: Ctx, host: str) -> Redirect:
    await choose_primary(ctx, host)
    return Redirect(_AT, flash=_("The site lives at {host} now. The other domains lead there.", host=host))


async def _domains(ctx: Ctx, site: Record | None) -> Domains:
    return await list_domains(ctx, site["site_id"]) if site else Domains()


async def _screen(ctx: Ctx, typed: str = "", refused: Refusal | None = None) -> Page:
    site, settings = await site_of(ctx), ctx.runtime.settings
    domains = await _domains(ctx, site)
    claims = {claim["host"]: claim for claim in domains.claims}
    order = tuple(_ROLES)
    hosts = [
        {
            "host": row["host"],
            "role": row["role"],
            "label": _(_ROLES[row["role"]]),
            "badge": _BADGES[row["role"]],
            "url": origin(settings, row["host"]) if row["role"] != "preview" else "",
            "claim_id": str(claims[row["host"]]["claim_id"]) if row["host"] in claims else "",
        }
        for row in sorted(domains.hosts, key=lambda row: (order.index(row["role"]), row["host"]))
    ]
    # Where their DNS is to point: the host that the app gave the site, which stays.
    given = next((h["host"] for h in hosts if not h["claim_id"] and h["role"] != "preview"), "")
    data = {
        "hosts": hosts,
        "claims": [
            {**_claim_json(claim), "is_given": is_given(claim["host"], settings.app.hosts, domains.own)}
            for claim in domains.claims
            if claim["verified_at"] is None
        ],
        "given": given,
        "site_id": str(site["site_id"]) if site else "",
        "typed": typed,
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused and not refused.fields else "",
        "may_write": may_write(ctx),
    }
    return Page("site/domains.html", data, title=_("Domains"), section="pages")


def _claim_json(claim: Record) -> dict[str, Any]:
    name, value = txt_of(claim)
    return {
        "claim_id": str(claim["claim_id"]),
        "host": claim["host"],
        "txt_name": name,
        "txt_value": value,
        "verified_at": claim["verified_at"],
    }


_CLAIM, _OTHER, _YOURS = (
    {"claim_id": "claim_id"},
    {"claim_id": "other_claim_id"},
    {"claim_id": "given_claim_id"},
)
_PRIMARY = {"host": "primary_host"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1);
# a tenant's first claim also starts its site (7). No key where the DNS is asked: asked twice, it says the same.
ROUTES = (
    route("GET", "/api/domains", api_list_domains, title="List domains", permission="page.read", queries_max=5),
    route("POST", "/api/domains", api_claim_domain, title="Say that a domain is yours", permission="page.publish",
          body=DomainBody, status=201, idempotency="key", effect="create", audit="domain.claimed",
          example={"host": "www.sample.example"}, queries_max=18),
    route("POST", "/api/domains/{claim_id}/verify", api_verify_domain, title="Show that a domain is yours",
          permission="page.publish", transaction=False, effect="change", audit="domain.verified", params=_YOURS,
          example={}, queries_max=12),
    route("DELETE", "/api/domains/{claim_id}", api_remove_domain, title="Remove a domain",
          permission="page.publish", status=204, effect="change", audit="domain.removed", params=_CLAIM,
          queries_max=12),
    route("POST", "/api/hosts/{host}/primary", api_choose_primary, title="Choose where the site lives",
          permission="page.publish", idempotency="key", effect="change", audit="domain.chosen", params=_PRIMARY,
          example={}, queries_max=18),
    route("GET", _AT, domains_page, title="Domains", media="html", permission="page.read", queries_max=5),
    route("POST", _AT, submit_domain, title="Say that a domain is yours", media="html", permission="page.publish",
          body=DomainForm, idempotency="key", effect="create", audit="domain.claimed",
          example={"host": "shop.sample.example"}, queries_max=18),
    route("POST", "/site/domains/{claim_id}/verify", submit_verify, title="Show that a domain is yours", media="html",
          permission="page.publish", transaction=False, effect="change", audit="domain.verified", params=_YOURS,
          example={}, queries_max=15),
    route("POST", "/site/domains/{claim_id}/remove", submit_remove, title="Remove a domain", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="domain.removed", params=_OTHER,
          example={}, queries_max=14),
    route("POST", "/site/hosts/{host}/primary", submit_primary, title="Choose where the site lives", media="html",
          permission="page.publish", idempotency="key", effect="change", audit="domain.chosen", params=_PRIMARY,
          example={}, queries_max=16),
)  # fmt: skip
