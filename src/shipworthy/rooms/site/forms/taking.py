"""Taking what a visitor sends: looked at, shown once more, then kept once.

The page the form stands on was sent to many; the second step is of this visitor, and carries a seal. A program
that fills in every field falls into the trap and is thanked; one that sends at once is asked again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.edge.gcra import Rate
from shipworthy.kernel.edge.limits import MemoryLimits
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.wire import ClientGone, client_of, headers_of, read_body
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.answers import refusal
from shipworthy.rooms.site.blocks.form import Form as FormBlock
from shipworthy.rooms.site.blocks.stored import opened as opened_block
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.forms.fields import (
    CHANGE,
    SEAL,
    TRAP,
    Filled,
    Shape,
    checked,
    form_html,
    is_email,
    review_html,
)
from shipworthy.rooms.site.forms.mails import queue_mail
from shipworthy.rooms.site.forms.seal import LATE_S, SOON_S, opened, seal
from shipworthy.rooms.site.forms.words import FORM_PREFIX, WORDS, action_of
from shipworthy.rooms.site.hosts import Site
from shipworthy.rooms.site.render import CSP, HTML, render_form_step
from shipworthy.rooms.site.shelf import start_message

FORMS = FORM_PREFIX.encode()  # where addresses of forms begin, in a request line
_BODY_BYTES_MAX = 64 * 1024  # 5,000 characters of any alphabet, percent-encoded
_BODY_TIMEOUT_S = 20.0
_FIELDS_MAX = 20
_RATE = Rate(per_minute=12, burst=12)  # from one network, to one site; a message is two of them
_NETWORKS_MAX = 20_000
_HEADERS = ((b"cache-control", b"no-store"), (b"x-robots-tag", b"noindex"), (b"x-content-type-options", b"nosniff"),
            (b"content-type", HTML.encode()), (b"content-security-policy", CSP.encode()))  # fmt: skip
_TOO_MUCH = refusal(413, "That is more than a form holds.")
_UNREAD = refusal(400, "This is not what the form sends.")
_FROM_ELSEWHERE = refusal(403, "This form was sent from another website.")
_OFTEN = refusal(
    429, "Too many messages came from your network. Try again in a minute.", (b"retry-after", b"60")
)


@dataclass(frozen=True, slots=True)
class Step:
    """What is shown next: of `name` the words have a title and a text."""

    status: int
    name: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The form that was sent, where it stands."""

    page_id: uuid.UUID
    page_title: str
    block: FormBlock
    shape: Shape


class Forms:
    """Takes the forms of one process."""

    def __init__(self, runtime: Runtime, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._limits = MemoryLimits(clock=clock, keys_max=_NETWORKS_MAX)

    async def answer(self, scope: Any, receive: Any, send: Any, site: Site, path: str) -> int:
        """Answer a form; return the status. Errors: Busy while the database is away."""
        headers = headers_of(scope)
        refused = None
        try:
            body = await read_body(receive, headers, bytes_max=_BODY_BYTES_MAX, timeout_s=_BODY_TIMEOUT_S)
            sent = _read(body)
        except Refusal:
            refused, status = _TOO_MUCH, 413
        except (ClientGone, ValueError):
            refused, status = _UNREAD, 400
        origin = headers.get("origin")
        if refused is None and origin is not None and origin.rpartition("//")[2] != headers.get("host"):
            refused, status = _FROM_ELSEWHERE, 403
        client = client_of(scope, headers, self._runtime.settings.http.trusted_proxies)
        if refused is None and self._limits.wait_now_s(site.sender_key(client), _RATE):
            refused, status = _OFTEN, 429
        if refused is not None:
            await send(start_message(status, refused.headers))
            await send(refused.body)
            return status
        status, page = await self._page(site, path, sent)
        await send(start_message(status, [*_HEADERS, (b"content-length", str(len(page)).encode())]))
        await send({"type": "http.response.body", "body": page})
        return status

    async def _page(self, site: Site, path: str, sent: Mapping[str, str]) -> tuple[int, bytes]:
        ctx = Ctx(
            scope=Scope(self._runtime.realm_id, site.tenant_id), runtime=self._runtime, trace_id="0" * 32
        )
        async with ctx.begin() as tx:
            ctx.tx = tx
            around = await tx.one(q.published_page, site_id=site.site_id, path="")
            asked = await _asked(ctx, path)
            language = asked.block.language if asked else site.locale
            step = Step(404, "gone") if asked is None else await self._next(ctx, site, asked, sent)
        words = WORDS[language]
        shown = {
            "heading": words[f"{step.name}_title"],
            "text": words[f"{step.name}_text"],
            "html": step.html,
        }
        menu, at = around["menu"], site.origin
        page = render_form_step(self._runtime.pages, around, menu, shown, site_origin=at, locale=language)
        return step.status, page

    async def _next(self, ctx: Ctx, site: Site, asked: _Asked, sent: Mapping[str, str]) -> Step:
        if sent.get(TRAP):
            return Step(200, "sent")
        shape, filled = asked.shape, checked(sent, asked.shape)
        if filled.wrong:
            return Step(422, "wrong", form_html(shape, filled))
        if CHANGE in sent:
            return Step(200, "change", form_html(shape, Filled(filled.values)))
        key, of, now_s = ctx.runtime.signing_key, shape.action, ctx.now().timestamp()
        sealed = opened(key, of, filled.values, sent.get(SEAL, ""), now_s=now_s)
        if sealed is None or not SOON_S <= sealed.age_s <= LATE_S:
            is_quick = sealed is not None and sealed.age_s < SOON_S
            html = review_html(shape, filled.values, seal(key, of, filled.values, now_s=now_s))
            return Step(200, "quick" if is_quick else "review", html)
        await _keep(ctx, site, asked, filled.values, sealed.message_id)
        return Step(200, "sent")


def _read(body: bytes) -> dict[str, str]:
    """Return the fields of a body. Errors: ValueError for more of them than a form has."""
    return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=_FIELDS_MAX))


async def _asked(ctx: Ctx, path: str) -> _Asked | None:
    """Return the form of an address while it stands on a published page of this tenant."""
    page, _, block_id = path.removeprefix(FORM_PREFIX).partition("/")
    try:
        page_id = uuid.UUID(page)
    except ValueError:
        return None
    row = await ctx.db.maybe(q.published_form, page_id=page_id, block_id=block_id)
    if row is None:
        return None
    block = opened_block(row["block"])
    assert isinstance(block, FormBlock)
    return _Asked(page_id, row["title"], block, block.shape(action_of(page_id, block_id), block_id))


async def _keep(
    ctx: Ctx, site: Site, asked: _Asked, values: Mapping[str, str], message_id: uuid.UUID
) -> None:
    """Keep a message, once however often it is sent, and queue the mail about it."""
    notify = asked.block.notify.strip()
    kept = await ctx.db.maybe(
        q.message_keep,
        message_id=message_id,
        site_id=site.site_id,
        page_id=asked.page_id,
        page_title=asked.page_title,
        sender_name=values["name"],
        sender_email=values["email"],
        sender_phone=values.get("phone", ""),
        message_text=values["message"],
        notify=notify if is_email(notify) else "",
        now=ctx.now(),
    )
    if kept is not None and is_email(notify):
        await queue_mail(ctx, message_id)
