"""Notes: a small app that is not ours (FastAPI, SQLite), to show the gauntlet on a stranger.

It has sign-in, a list, a form and no idea of this project. Some of what it does is wrong on
purpose, as in life: reading its verdict is the point.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from contextlib import closing
from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

DATABASE = os.environ.get("NOTES_DATABASE", "notes.sqlite")
USERS = {"ann@notes.example": "correct horse battery", "bob@notes.example": "staple a blue horse"}
SESSIONS: dict[str, str] = {}

app = FastAPI(title="Notes")


class Credentials(BaseModel):
    email: str
    password: str


class Note(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=500)]


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(DATABASE)
    connection.execute("create table if not exists note (id integer primary key, owner text, text text)")
    return connection


def owner(session: str | None) -> str:
    if session is None or session not in SESSIONS:
        raise HTTPException(401, "sign in first")
    return SESSIONS[session]


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/", response_class=HTMLResponse)
def home() -> str:
    return "<!doctype html><html lang=en><title>Notes</title><h1>Notes</h1><p>Keep what you think.</p></html>"


@app.post("/login")
def login(credentials: Credentials, response: Response) -> dict[str, str]:
    known = hashlib.sha256(USERS.get(credentials.email, "").encode()).digest()
    if not secrets.compare_digest(known, hashlib.sha256(credentials.password.encode()).digest()):
        raise HTTPException(401, "wrong e-mail or password")
    token = secrets.token_urlsafe(24)
    SESSIONS[token] = credentials.email
    response.set_cookie("session", token, httponly=True, samesite="lax")
    return {"signed_in_as": credentials.email}


@app.get("/api/notes")
def list_notes(session: Annotated[str | None, Cookie()] = None) -> list[dict[str, object]]:
    with closing(connect()) as db:
        rows = db.execute(
            "select id, text from note where owner = ? order by id desc limit 50", (owner(session),)
        )
        return [{"id": row[0], "text": row[1]} for row in rows]


@app.post("/api/notes", status_code=201)
def add_note(note: Note, session: Annotated[str | None, Cookie()] = None) -> dict[str, object]:
    with closing(connect()) as db, db:
        cursor = db.execute("insert into note (owner, text) values (?, ?)", (owner(session), note.text))
        return {"id": cursor.lastrowid, "text": note.text}
