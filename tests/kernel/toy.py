"""A toy room for kernel tests: one table, a few routes that show each promise of the edge."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Any

import msgspec

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json
from shipworthy.kernel.room import Room
from shipworthy.kernel.route import route

FOLDER = Path(__file__).parent / "toy"
q = load_queries(FOLDER / "queries.sql", room="toy")


class Part(Body):
    label: Annotated[str, msgspec.Meta(min_length=1)]
    amount_minor: int


class NewNote(Body):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    stars: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    parts: list[Part] = []


async def create_note(ctx: Ctx, body: NewNote) -> Any:
    note_id = ctx.new_id()
    await ctx.db.run(q.note_create, note_id=note_id, text=body.text)
    await record(ctx, "note.created", of="note", id=note_id)
    return Json({"note_id": note_id}, status=201)


async def get_note(ctx: Ctx, note_id: uuid.UUID) -> Any:
    row = await ctx.db.maybe(q.note_get, note_id=note_id)
    if row is None:
        raise Missing("note")
    return {"note_id": row["note_id"], "text": row["text"]}


async def list_notes(ctx: Ctx) -> Any:
    return [row["text"] for row in await ctx.db.all(q.note_list)]


async def crash(_ctx: Ctx) -> Any:
    raise ZeroDivisionError("a secret detail")


async def forget_audit(ctx: Ctx, body: NewNote) -> Any:
    await ctx.db.run(q.note_create, note_id=ctx.new_id(), text=body.text)
    return {}


async def hello(_ctx: Ctx) -> Any:
    return {"hello": "world"}


ROOM = Room(
    name="toy",
    folder=FOLDER,
    queries=q,
    permissions={"owner": frozenset({"note.write", "note.read"}), "guest": frozenset({"note.read"})},
    routes=(
        route("POST", "/notes", create_note, body=NewNote, idempotency="key", effect="create", permission="note.write",
              audit="note.created", status=201, body_bytes_max=2_000),
        route("GET", "/notes/{note_id}", get_note, permission="note.read"),
        route("GET", "/notes", list_notes, permission="note.read"),
        route("POST", "/forgetful", forget_audit, body=NewNote, audit="note.created"),
        route("GET", "/owned", hello, media="html", transaction=False, permission="note.read"),
        route("GET", "/safe", hello, media="html", transaction=False, step_up_s=600),
        route("POST", "/safe", hello, media="html", transaction=False, effect="change", step_up_s=600),
        route("GET", "/crash", crash, auth="public", transaction=False, media="html"),
        route("GET", "/hello", hello, auth="public", transaction=False),
    ),
)  # fmt: skip
