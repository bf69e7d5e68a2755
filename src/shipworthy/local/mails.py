"""The development inbox on disk: one .eml file per mail, newest kept, readable by anyone's tests."""

from __future__ import annotations

import email
import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path

MAILS_MAX = 500  # a development inbox; the oldest go first
_ENVELOPE_HEADER = "X-Envelope-To"
_NAME = re.compile(r"\d{20}-[0-9a-f]{8}\.eml\Z")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One received mail. `to` is whom it was delivered to, also when no header says so (Bcc)."""

    id: str
    to: str
    sender: str
    subject: str
    text: str
    html: str
    received_at: datetime


def store_mail(
    directory: Path, content: bytes, *, recipients: Sequence[str], mails_max: int = MAILS_MAX
) -> str:
    """Store one mail as received and return its id; the oldest beyond `mails_max` are deleted.

    The file appears whole, by rename: a reader never sees half a mail.
    """
    mail_id = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    envelope = f"{_ENVELOPE_HEADER}: {', '.join(recipients)}\r\n".encode()
    draft = directory / f"{mail_id}.part"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(envelope + content)
    draft.rename(directory / f"{mail_id}.eml")
    for surplus in _files(directory)[mails_max:]:
        surplus.unlink(missing_ok=True)
    return mail_id


def list_mails(directory: Path) -> list[Mail]:
    """Return the mails in `directory`, newest first; no directory means no mails."""
    return [_parse(path) for path in _files(directory)]


def find_mail(directory: Path, mail_id: str) -> Mail | None:
    """Return one mail by its id, or None."""
    return next((_parse(path) for path in _files(directory) if path.stem == mail_id), None)


def _files(directory: Path) -> list[Path]:
    # Names begin with the time. Files that others put here are not ours to show or delete.
    return sorted((path for path in directory.glob("*.eml") if _NAME.match(path.name)), reverse=True)


def _parse(path: Path) -> Mail:
    message = email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=SMTP)
    html = _body(message, "html")
    return Mail(
        id=path.stem,
        to=str(message[_ENVELOPE_HEADER] or ""),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain") or _text_of(html),
        html=html,
        received_at=datetime.fromtimestamp(int(path.stem.split("-")[0]) / 1e9, tz=UTC),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset nobody knows: show what can be shown
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _text_of(html: str) -> str:
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).splitlines()]
    return "\n".join(line for line in lines if line)


class _TextReader(HTMLParser):
    """Keeps the words of an HTML mail, and the address behind each link."""

    _BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "table"})
    _SILENT = frozenset({"style", "script", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent_depth += tag in self._SILENT
        if tag in self._BREAKS:
            self.parts.append("\n")
        if tag == "a" and (address := dict(attrs).get("href")):
            self.parts.append(f" {address} ")

    def handle_endtag(self, tag: str) -> None:
        self._silent_depth = max(0, self._silent_depth - (tag in self._SILENT))
        if tag in self._BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent_depth:
            self.parts.append(data)
