"""A site's domains: claimed, shown to be the owner's by a TXT record, chosen as the site's own, given back."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _, mark
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import announce, show_change
from shipworthy.rooms.site.domains.txt import look_up_txt
from shipworthy.rooms.site.start import started_site
from shipworthy.rooms.site.tags import EVERYTHING, LOOK

TXT_LABEL = "_shipworthy"  # before the host, where its TXT record stands
_PREFIX = "shipworthy-site="
CLAIMS_MAX = 50  # of a tenant
_HOST_CHARS_MAX = 240  # with the label before it, a name has 253 at most (RFC 1035)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domains:
    """Where a site is reached, and what is claimed for it; `own` are the hosts of all of the tenant's sites."""

    hosts: Sequence[Record] = ()
    claims: Sequence[Record] = ()
    own: Sequence[Record] = ()


def txt_of(claim: Row) -> tuple[str, str]:
    """Return name and value of the TXT record that shows whose the host is."""
    return f"{TXT_LABEL}.{claim['host']}", f"{_PREFIX}{claim['token']}"


async def list_domains(ctx: Ctx, site_id: uuid.UUID) -> Domains:
    """Return the hosts of a site, and what is claimed for it."""
    own = await ctx.db.all(q.own_hosts)
    claims = [row for row in await ctx.db.all(q.claim_list) if row["site_id"] == site_id]
    return Domains(hosts=[row for row in own if row["site_id"] == site_id], claims=claims, own=own)


async def claim_domain(ctx: Ctx, text: str) -> Record:
    """Say that a host is ours; return the claim, with what is to stand in its TXT record. Said again, it is the same.

    Errors:  Invalid `site.host_invalid`; Conflict `site.host_taken` for one that another site is reached at;
             Conflict `site.hosts_full`.
    """
    site = await started_site(ctx)
    own = await ctx.db.all(q.own_hosts)
    host = _host(text, platform=ctx.runtime.settings.app.hosts, own=own)
    claims = await ctx.db.all(q.claim_list)
    there = next((claim for claim in claims if claim["host"] == host), None)
    if there is not None and there["site_id"] == site["site_id"]:
        unchanged(ctx)
        return there
    if there is not None and there["verified_at"] is None:  # of another site of ours: it moves to this one
        await ctx.db.run(q.claim_move, claim_id=there["claim_id"], site_id=site["site_id"])
        await record(ctx, "domain.claimed", of="domain", id=there["claim_id"], detail={"host": host})
        return {**there, "site_id": site["site_id"]}
    if there is not None or await ctx.db.maybe(q.domain_get, host=host) is not None:
        raise _taken(host)
    if len(claims) >= CLAIMS_MAX:
        message = _("You have {most} domains already. Remove one first.", most=CLAIMS_MAX)
        raise Conflict("site.hosts_full", message, fields={"host": message})
    claim_id = ctx.new_id()
    token = secrets.token_urlsafe(24)
    await ctx.db.run(
        q.claim_create, claim_id=claim_id, site_id=site["site_id"], host=host, token=token, now=ctx.now()
    )
    await record(ctx, "domain.claimed", of="domain", id=claim_id, detail={"host": host})
    # Somebody who said so at the same moment was first: theirs counts.
    return next(claim for claim in await ctx.db.all(q.claim_list) if claim["host"] == host)


async def verify_domain(ctx: Ctx, claim_id: uuid.UUID) -> Record:
    """Look whether a claimed host is ours, and if it is let it lead to the site; return the claim as it is now.

    The route has no transaction: none is held while the DNS is asked. A host below one that the app itself gave the
    tenant needs no record.
    Errors:  Missing; Conflict `site.host_unproven`, `site.host_taken`; Upstream `site.dns_unavailable`.
    """
    async with ctx.begin() as tx:
        claim = await tx.maybe(q.claim_get, claim_id=claim_id)
        own = await tx.all(q.own_hosts)
    if claim is None:
        raise Missing(mark("domain"))
    if claim["verified_at"] is None and not is_given(claim["host"], ctx.runtime.settings.app.hosts, own):
        await _require_record(ctx, claim)
    async with ctx.begin() as tx:
        ctx.tx = tx
        held = await tx.maybe(q.claim_lock, claim_id=claim_id)
        if held is None:
            raise Missing(mark("domain"))  # taken back meanwhile
        if held["verified_at"] is not None:
            unchanged(ctx)
            return {**claim, "verified_at": held["verified_at"]}
        added = await tx.maybe(
            q.domain_add, host=claim["host"], tenant_id=ctx.tenant_id, site_id=claim["site_id"]
        )
        if added is None:
            raise _taken(claim["host"])
        await tx.run(q.claim_verified, claim_id=claim_id, now=ctx.now())
        await announce(ctx, claim["site_id"], LOOK)
        await record(ctx, "domain.verified", of="domain", id=claim_id, detail={"host": claim["host"]})
    return {**claim, "verified_at": ctx.now()}


async def choose_primary(ctx: Ctx, host: str) -> None:
    """Let a site live on one of its hosts: every canonical address and the sitemap follow in this transaction, and
    the host before leads to the same addresses there.

    Errors:  Missing.
    """
    there = await ctx.db.maybe(q.domain_own, host=host)
    if there is None or there["role"] == "preview":
        raise Missing(mark("domain"))
    if there["role"] == "primary":
        unchanged(ctx)
        return
    await show_change(ctx, there["site_id"], EVERYTHING, LOOK)
    if await ctx.db.maybe(q.domain_own, host=host) is None:  # taken back while somebody else held the site
        raise Missing(mark("domain"))
    await ctx.db.run(q.domain_step_down, site_id=there["site_id"])
    await ctx.db.run(q.domain_step_up, host=host)
    await record(ctx, "domain.chosen", of="site", id=there["site_id"], detail={"host": host})


async def remove_domain(ctx: Ctx, claim_id: uuid.UUID) -> str:
    """Take a claim back, and let its host lead nowhere; return the host.

    Errors:  Missing; Conflict `site.host_needed` for the one the site lives on.
    """
    claim = await ctx.db.maybe(q.claim_lock, claim_id=claim_id)
    if claim is None:
        raise Missing(mark("domain"))
    there = await ctx.db.maybe(q.domain_own, host=claim["host"]) if claim["verified_at"] else None
    if there is not None:
        await show_change(ctx, there["site_id"], EVERYTHING, LOOK)
        there = await ctx.db.one(q.domain_own, host=claim["host"])
        if there["role"] == "primary":
            message = _("The site lives on {host}. Choose another domain for that first.", host=claim["host"])
            raise Conflict("site.host_needed", message)
        await ctx.db.run(q.domain_delete, host=claim["host"])
    await ctx.db.run(q.claim_delete, claim_id=claim_id)
    await record(ctx, "domain.removed", of="domain", id=claim_id, detail={"host": claim["host"]})
    return str(claim["host"])


async def _require_record(ctx: Ctx, claim: Record) -> None:
    """Pass when the TXT record of a claim is there. Errors: Conflict `site.host_unproven`; Upstream."""
    name, value = txt_of(claim)
    found = await look_up_txt(name, server=ctx.runtime.settings.site.dns_server)
    if value in found:
        return
    message = (
        _(
            "There is no TXT record at {name} yet. The DNS may need up to an hour until everybody sees it.",
            name=name,
        )
        if not found
        else _("There is a TXT record at {name}, but it does not say {value}.", name=name, value=value)
    )
    raise Conflict("site.host_unproven", message)


def _host(text: str, *, platform: Sequence[str], own: Sequence[Row]) -> str:
    """Return a host as it stands in a request. Errors: Invalid `site.host_invalid`."""
    typed = text.strip().lower().removeprefix("https://").removeprefix("http://").partition("/")[0]
    try:
        host = typed.rstrip(".").encode("idna").decode()
    except UnicodeError:
        host = ""
    message = ""
    if not _HOST.fullmatch(host) or len(host) > _HOST_CHARS_MAX or host.rpartition(".")[2].isdigit():
        message = _("Write a domain, such as www.example.org.")
    elif _is_platform(host, platform) and not is_given(host, platform, own):
        message = _("This domain belongs to the app itself.")
    if message:
        raise Invalid("site.host_invalid", message, fields={"host": message})
    return host


def is_given(host: str, platform: Sequence[str], own: Sequence[Row]) -> bool:
    """Say whether a host stands below one that the app itself gave this tenant: it needs no record."""
    given = [row["host"] for row in own if row["role"] != "preview" and _is_platform(row["host"], platform)]
    return any(host.endswith(f".{name}") for name in given)


def _is_platform(host: str, platform: Sequence[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in platform)


def _taken(host: str) -> Conflict:
    message = _("{host} is taken: another website is reached there.", host=host)
    return Conflict("site.host_taken", message, fields={"host": message})
