"""The screens of messages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import File, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.forms.inbox import delete_message, exported, get_message, list_messages
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.shown import moment
from shipworthy.rooms.site.sites.chosen import site_of, site_with

_EXCERPT_CHARS = 90


class Place(msgspec.Struct):
    before: uuid.UUID | None = None


async def messages_page(ctx: Ctx, place: Place) -> Page:
    site = await site_of(ctx)
    rows, onward = await list_messages(ctx, site["site_id"], before=place.before) if site else ((), None)
    data = {
        "messages": [_shown(ctx, row, site["time_zone"]) for row in rows] if site else [],
        "may_write": may_write(ctx),
        "first": "/messages" if place.before else "",
        "next": f"/messages?before={onward}" if onward else "",
    }
    return Page("site/messages.html", data, title="Messages", section="messages")


async def message_page(ctx: Ctx, message_id: uuid.UUID) -> Page:
    row = await get_message(ctx, message_id)
    site = await site_with(ctx, row["site_id"])
    data = {"message": _shown(ctx, row, site["time_zone"]), "may_write": may_write(ctx)}
    return Page(
        "site/message.html", data, title=_("Message from {name}", name=row["sender_name"]), section="messages"
    )


async def submit_delete(ctx: Ctx, message_id: uuid.UUID) -> Redirect:
    await delete_message(ctx, message_id)
    return Redirect("/messages", flash=_("The message is deleted."))


async def export(ctx: Ctx) -> File:
    headers = (("content-disposition", 'attachment; filename="messages.csv"'),)
    site = await site_of(ctx)
    body = await exported(ctx, site["site_id"]) if site else b""
    return File(body, "text/csv; charset=utf-8", headers=headers)


def _shown(ctx: Ctx, row: Mapping[str, Any], time_zone: str) -> dict[str, Any]:
    line = " ".join(row["message_text"].split())
    begun = line[:_EXCERPT_CHARS]
    return {
        **row,
        "excerpt": line if len(line) <= _EXCERPT_CHARS else f"{begun.rpartition(' ')[0] or begun} …",
        "received": moment(row["received_at"], now=ctx.now(), time_zone=time_zone),
    }


ROUTES = (
    route("GET", "/messages", messages_page, title="Messages", media="html", permission="messages.read", query=Place,
          queries_max=5),
    route("GET", "/messages/export", export, title="All messages as a file", media="file",
          permission="messages.read", queries_max=5),
    route("GET", "/messages/{message_id}", message_page, title="Read a message", media="html",
          permission="messages.read", params={"message_id": "message_id"}, queries_max=5),
    route("POST", "/messages/{message_id}/delete", submit_delete, title="Delete a message", media="html",
          permission="messages.write", idempotency="key", effect="change", audit="message.deleted",
          params={"message_id": "other_message_id"}, example={}, queries_max=10),
)  # fmt: skip
