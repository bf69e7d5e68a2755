"""The proof that whoever examines another machine may: a line that its owner serves at a known path.

The line is made for one host, by the examiner's own key, until a day. It is fetched from the very address that
is then examined, and compared: a line that somebody else published for an examination of their own opens nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from shipworthy.gauntlet.capabilities import is_loopback
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.politeness import REQUESTS_PER_S_MAX, Turns

PATH = "/.well-known/shipworthy-gauntlet.txt"
DAYS_MAX = 30  # of a proof: whoever sold the host, or forgot the file, is safe again after that
KEY_VARIABLE = "SHIPWORTHY_EXAMINER_KEY"  # for a machine that keeps no home, as in CI
_BYTES_MAX = 4_096
_LINE = re.compile(r"shipworthy-gauntlet host=(\S+) until=(\d{4}-\d\d-\d\d) token=([0-9a-f]{64})")

Resolve = Callable[[str, int], Awaitable[str]]


class NotProven(Exception):
    """The target does not say that it may be examined; the message says what to put where."""


@dataclass(frozen=True)
class Reached:
    """Where a target's name is reached for the whole run. Empty `addresses`: on this machine, nothing to prove."""

    addresses: dict[str, str]
    turns: Turns | None


async def reach(
    url: str, *, address: str | None = None, resolve: Resolve | None = None, key: bytes | None = None
) -> Reached:
    """Return how an address may be reached: freely on this machine, elsewhere with its owner's proof.

    `address` is where the name leads, instead of asking a resolver; the name has to prove itself all the same.
    Errors:  NotProven.
    """
    parts = urlsplit(url)
    host, authority = parts.hostname or "", parts.netloc.rpartition("@")[2]
    if is_loopback(host):
        return Reached({}, None)
    try:
        found = address or await (resolve or system_resolver)(
            host, parts.port or (443 if parts.scheme == "https" else 80)
        )
    except (OSError, UnicodeError) as unknown:
        raise NotProven(f"The host {host} is not known: {unknown}.") from unknown
    reached = Reached({host: found}, Turns())
    await _must_be_proven(url, authority, reached, key or examiner_key())
    return reached


async def system_resolver(host: str, port: int) -> str:
    """Return the first address of a name. Errors: OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


def proof_line(authority: str, *, until: date, key: bytes) -> str:
    """Return the line that a host serves to be examined by the owner of `key`."""
    token = hmac.new(key, f"{authority.lower()}\n{until.isoformat()}".encode(), hashlib.sha256).hexdigest()
    return f"shipworthy-gauntlet host={authority.lower()} until={until.isoformat()} token={token}"


def fault_of(text: str, *, authority: str, today: date, key: bytes) -> str:
    """Return what is wrong with what a host serves as its proof; empty when it proves."""
    faults = ["holds no such line"]
    for line in _LINE.finditer(text):
        host, until, _token = line.groups()
        last = _day(until)
        if host != authority.lower():
            faults.append(f"is made for {host}")
        elif last is None or last < today:
            faults.append(f"ended on {until}")
        elif last > today + timedelta(days=DAYS_MAX):
            faults.append(f"would hold until {until}; {DAYS_MAX} days are the most")
        elif not hmac.compare_digest(line.group(), proof_line(authority, until=last, key=key)):
            faults.append("was made with another examiner's key")
        else:
            return ""
    return faults[-1]


def examiner_key() -> bytes:
    """Return this examiner's key, made when there is none yet. Errors: NotProven when it cannot be kept."""
    if given := os.environ.get(KEY_VARIABLE):
        return given.encode()
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "shipworthy"
    path = home / "examiner.key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
        except FileExistsError:
            pass
        return path.read_bytes()
    except OSError as failed:
        raise NotProven(
            f"The key that proofs are made with could not be kept in {path}: {failed.strerror}. "
            f"Set {KEY_VARIABLE} to a secret of your own."
        ) from failed


async def _must_be_proven(url: str, authority: str, reached: Reached, key: bytes) -> None:
    today = datetime.now(UTC).date()
    session = HttpSession(url, addresses=reached.addresses, turns=reached.turns)
    try:
        answer = await session.get(PATH, body_bytes_max=_BYTES_MAX)
    except Unanswered as silent:
        raise NotProven(f"Nothing answers at {url}: {silent}.") from silent
    finally:
        await session.close()
    # A redirect is no proof: many sites lead anybody anywhere.
    wrong = f"answers {answer.status}"
    if answer.status == 200:
        wrong = fault_of(answer.text, authority=authority, today=today, key=key)
    if wrong:
        line = proof_line(authority, until=today + timedelta(days=DAYS_MAX), key=key)
        scheme = urlsplit(url).scheme
        raise NotProven(
            f"{url} is not on this machine, and does not say that you may examine it: its {PATH} {wrong}. The "
            "gauntlet sends load and hostile requests. Run a copy on this machine; or, if it is yours to harm, "
            f"serve this line at {scheme}://{authority}{PATH}\n\n  {line}\n\n"
            f"It is made for this host and this examiner, and holds for {DAYS_MAX} days. At most "
            f"{REQUESTS_PER_S_MAX:g} requests a second are then sent, and no faults are inflicted."
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
