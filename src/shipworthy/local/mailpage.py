"""The development inbox as two small pages: the list, and one mail as text with its links. The list as JSON, too.

A mail holds sign-in links, so the page answers to its own loopback name only (a website that
points its name at 127.0.0.1 gets nothing), shows text and never the mail's HTML, and lets the
browser load nothing else.
"""

from __future__ import annotations

import json
import re
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from shipworthy.local.mails import Mail, find_mail, list_mails
from shipworthy.local.ports import LOOPBACK

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --dim: #5c6675; --line: #dfe3e8; --paper: #fff; --page: #f5f6f8; --link: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --dim: #9aa4b2; --line: #323a46; --paper: #1b2028; --page: #12161c; --link: #7db7ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.35rem; margin: 0 0 1rem; overflow-wrap: anywhere }
a { color: var(--link) }
ul, article { list-style: none; margin: 0; padding: 0; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; overflow: hidden }
li + li { border-top: 1px solid var(--line) }
li a { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .8rem 1rem; text-decoration: none; color: inherit }
li a:hover, li a:focus-visible { background: color-mix(in srgb, var(--link) 9%, transparent) }
strong { overflow-wrap: anywhere }
.dim, time { color: var(--dim); font-size: .9rem; overflow-wrap: anywhere }
time { white-space: nowrap }
article { padding: 1.2rem 1rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 1rem 0 0; border-top: 1px solid var(--line); padding-top: 1rem }
@media (max-width: 34rem) { li a { grid-template-columns: 1fr } li time { order: 1 } }
.empty { padding: 2.5rem 1rem; text-align: center; color: var(--dim) }
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def mail_page_server(directory: Path, *, port: int) -> ThreadingHTTPServer:
    """Return a bound server that shows the mails of `directory`; the caller runs and closes it.

    Errors:  OSError when the port is taken.
    """

    class Handler(_MailPages):
        mails = directory

    return ThreadingHTTPServer((LOOPBACK, port), Handler)


class _MailPages(BaseHTTPRequestHandler):
    mails: Path
    timeout = 10.0  # an idle connection may not hold a thread

    def do_GET(self) -> None:
        assert isinstance(self.server, ThreadingHTTPServer)
        port = self.server.server_port
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            self._answer(
                HTTPStatus.MISDIRECTED_REQUEST, "Not this host", "<p>This page has another address.</p>"
            )
        elif self.path == "/":
            self._answer(HTTPStatus.OK, "Mail inbox", _list(list_mails(self.mails)), refresh_s=5)
        elif self.path == "/mails.json":
            self._send(HTTPStatus.OK, _as_json(list_mails(self.mails)), kind="application/json")
        elif mail := find_mail(self.mails, self.path.removeprefix("/mail/")):
            self._answer(HTTPStatus.OK, mail.subject or "(no subject)", _letter(mail))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "No such mail", '<p><a href="/">Back to the inbox</a></p>')

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: a development inbox has no access log."""

    def _answer(self, status: HTTPStatus, title: str, body: str, *, refresh_s: int | None = None) -> None:
        self._send(status, _page(title, body, refresh_s=refresh_s).encode(), kind="text/html; charset=utf-8")

    def _send(self, status: HTTPStatus, content: bytes, *, kind: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _as_json(mails: list[Mail]) -> bytes:
    """The list for programs that read along: the newest first, each with its text."""
    known = [{"id": m.id, "to": m.to, "subject": m.subject, "text": m.text} for m in mails]
    return json.dumps(known).encode()


def _page(title: str, body: str, *, refresh_s: int | None) -> str:
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}'
        f"<style>{_STYLE}</style><main><h1>{escape(title)}</h1>{body}</main></html>"
    )


def _list(mails: list[Mail]) -> str:
    if not mails:
        return (
            '<ul><li class="empty">No mail yet. What the app sends while developing arrives here.</li></ul>'
        )
    return f"<ul>{''.join(_row(mail) for mail in mails)}</ul>"


def _row(mail: Mail) -> str:
    return (
        f'<li><a href="/mail/{escape(mail.id)}"><strong>{escape(mail.subject or "(no subject)")}</strong>{_time(mail)}'
        f'<span class="dim">to {escape(mail.to)}</span></a></li>'
    )


def _letter(mail: Mail) -> str:
    return (
        f'<p><a href="/">All mails</a></p><article><div class="dim">from {escape(mail.sender)}</div>'
        f'<div class="dim">to {escape(mail.to)}</div>{_time(mail)}<pre>{_linked(mail.text)}</pre></article>'
    )


def _time(mail: Mail) -> str:
    return f'<time datetime="{mail.received_at.isoformat()}">{mail.received_at:%Y-%m-%d %H:%M:%S} UTC</time>'


def _linked(text: str) -> str:
    parts: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        address = escape(link.group())
        parts += [
            escape(text[end : link.start()]),
            f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>',
        ]
        end = link.end()
    return "".join([*parts, escape(text[end:])])
