"""The app a command is about: its folder, settings, rooms, state and installation."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import click

from shipworthy.contract.lines import line_of
from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.app import Installation
from shipworthy.kernel.audit.keys import KEY_CHARS_MIN as AUDIT_KEY_CHARS_MIN
from shipworthy.kernel.audit.keys import KEYS_MAX as AUDIT_KEYS_MAX
from shipworthy.kernel.audit.keys import key_from
from shipworthy.kernel.files.links import KEY_CHARS_MIN, KEYS_MAX, key_of
from shipworthy.kernel.flags.file import FLAGS_FILE
from shipworthy.kernel.own_rooms import load_own_room, own_rooms
from shipworthy.kernel.room import Room
from shipworthy.kernel.settings import APP_FILE, Settings, load_settings

STATE_FOLDER = ".shipworthy"
VALKEY = "SHIPWORTHY_VALKEY_URL"
_VALKEY_SCHEMES = ("valkey", "valkeys", "redis", "rediss")


@dataclass(frozen=True)
class Project:
    """An app's folder, read."""

    home: Path
    settings: Settings
    rooms: tuple[Room, ...]


def load_project(home: Path | None = None) -> Project:
    """Read the app in `home` (the current folder when None).

    Errors:  a usage error when there is no app.toml; Undecodable for what it does not know.
    """
    folder = folder_of_app(home)
    try:
        settings = load_settings(folder)
    except FileNotFoundError:
        raise click.UsageError(
            f"there is no {APP_FILE} in {folder}. Go into an app's folder, or make one: shipworthy new NAME"
        ) from None
    line = line_of((folder / APP_FILE).read_text(encoding="utf-8"), ("app", "rooms"))
    return Project(folder, settings, load_rooms(settings.app.rooms, home=folder, line=line))


def folder_of_app(home: Path | None = None) -> Path:
    """Return the folder a command is about. Errors: a usage error when the current one is gone."""
    try:
        return (home or Path.cwd()).resolve()
    except FileNotFoundError:
        raise click.UsageError("the current folder is gone. Go into an app's folder") from None


def load_rooms(
    names: tuple[str, ...], *, home: Path | None = None, line: int | None = None
) -> tuple[Room, ...]:
    """Import the rooms, sign-in first: the others stand on its users. A room in the app's `home` goes before ours.

    Errors:  Undecodable naming the nearest known room, and the `line` that names them.
    """
    ordered = ("auth", *(name for name in names if name != "auth"))
    if len(set(names)) != len(names):
        raise Undecodable(
            f"app.rooms: a room is named twice in {', '.join(names)}",
            path="app.rooms",
            line=line,
            source=APP_FILE,
        )
    own = own_rooms(home) if home else []
    rooms: list[Room] = []
    known = sorted({*known_rooms(), *own})
    for name in ordered:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise Undecodable(
                f"app.rooms: there is no room {name!r}{hint}", path="app.rooms", line=line, source=APP_FILE
            )
        if home and name in own:
            rooms.append(load_own_room(home, name))
        else:
            rooms.append(import_module(f"shipworthy.rooms.{name}.room").ROOM)
        _check_order(rooms, line)
    return tuple(rooms)


def _check_order(rooms: list[Room], line: int | None) -> None:
    """Errors: Undecodable when the last room stands on one that does not come before it."""
    *before, room = rooms
    for name in room.stands_on:
        if name not in [each.name for each in before]:
            raise Undecodable(
                f"app.rooms: {room.name!r} refers to what {name!r} keeps; name {name!r} before it",
                path="app.rooms",
                line=line,
                source=APP_FILE,
            )


def known_rooms() -> list[str]:
    import shipworthy.rooms

    folder = Path(shipworthy.rooms.__path__[0])
    return sorted(path.parent.name for path in folder.glob("*/room.py"))


def installation_from(
    environment: Mapping[str, str], *, role: str, store: str = "postgres", pooling: str = "none"
) -> Installation:
    """Return the installation that `up` (or an operator) describes by environment variables.

    `store` is what sessions.store says, for who looks sessions up; `pooling` what db.pooling says.

    Errors:  a usage error naming the variable that is missing or wrong.
    """
    try:
        return Installation(
            realm_id=realm_id_of(environment["SHIPWORTHY_REALM"]),
            database_url=environment[f"SHIPWORTHY_DB_URL_{role.upper()}"],
            state=Path(environment["SHIPWORTHY_STATE"]),
            signing_key=environment["SHIPWORTHY_SIGNING_KEY"].encode(),
            file_keys=_file_keys(environment),
            audit_keys=_keys(
                environment, "SHIPWORTHY_AUDIT_KEYS", most=AUDIT_KEYS_MAX, chars_min=AUDIT_KEY_CHARS_MIN
            ),
            audit_trusted=_trusted_keys(environment),
            valkey_url=require_valkey_url(environment[VALKEY]) if store == "valkey" else None,
            direct_url=environment[f"SHIPWORTHY_DB_URL_{role.upper()}_DIRECT"]
            if pooling == "transaction"
            else None,
            flags_file=Path(environment.get("SHIPWORTHY_FLAGS_FILE") or FLAGS_FILE).absolute(),
            runbook_folder=Path("runbook").absolute(),
            clock_file=Path(clock) if (clock := environment.get("SHIPWORTHY_CLOCK_FILE")) else None,
        )
    except KeyError as missing:
        raise click.UsageError(
            f"{missing.args[0]} is not set. `shipworthy up` sets it; in production set it yourself."
        ) from None


def _file_keys(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    own = environment["SHIPWORTHY_SIGNING_KEY"].encode()
    keys = _keys(environment, "SHIPWORTHY_FILES_KEYS", most=KEYS_MAX, chars_min=KEY_CHARS_MIN)
    return tuple(key_of(own) if key == own else key for key in keys)


def _keys(environment: Mapping[str, str], name: str, *, most: int, chars_min: int) -> tuple[bytes, ...]:
    """The keys in a variable, the one that signs first; `default` is SHIPWORTHY_SIGNING_KEY."""
    given = [key.strip() for key in environment.get(name, "").split(",") if key.strip()]
    if len(given) > most or any(len(key) < chars_min for key in given if key != "default"):
        raise click.UsageError(
            f"{name} must be one or two keys of at least {chars_min} characters, parted by a comma: "
            "the first signs, both count. `default` stands for the one made of SHIPWORTHY_SIGNING_KEY."
        )
    own = environment["SHIPWORTHY_SIGNING_KEY"].encode()
    return tuple(own if key == "default" else key.encode() for key in given)


def _trusted_keys(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    given = environment.get("SHIPWORTHY_AUDIT_TRUSTED", "").split(",")
    try:
        return tuple(key_from(text.strip()) for text in given if text.strip())
    except ValueError as broken:
        raise click.UsageError(f"SHIPWORTHY_AUDIT_TRUSTED holds what is no public key: {broken}") from None


def realm_id_of(text: str) -> uuid.UUID:
    """Errors: UsageError."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise click.UsageError(f"SHIPWORTHY_REALM must be an id (a UUID), not {text!r}") from None


def require_valkey_url(text: str) -> str:
    """Return an address of a Valkey or Redis, refusing what cannot be one.

    Errors:  a usage error that does not repeat the password.
    """
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in _VALKEY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise click.UsageError(
            f"{VALKEY} must be an address like valkey://:password@host:6379 (valkeys:// with TLS)"
        )
    return text


def current_environment() -> Mapping[str, str]:
    return os.environ
