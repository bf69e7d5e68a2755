"""The inbox page shows mails as text, harmlessly, to its own address only."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from shipworthy.local.mailpage import mail_page_server
from shipworthy.local.mails import store_mail


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    server = mail_page_server(tmp_path, port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def _get(port: int, path: str, *, host: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body, response.headers


def _store(directory: Path, *, subject: str, text: str) -> str:
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content(text)
    return store_mail(directory, message.as_bytes(), recipients=["ann@example.com"])


def test_the_list_shows_each_mail_and_the_letter_has_clickable_links(port: int, tmp_path: Path) -> None:
    assert "No mail yet" in _get(port, "/")[1]
    mail_id = _store(tmp_path, subject="Confirm", text="Go to https://shop.example/verify?t=a&u=b. Thanks")
    listed = _get(port, "/")[1]
    assert f'href="/mail/{mail_id}"' in listed
    assert "ann@example.com" in listed
    status, letter, _ = _get(port, f"/mail/{mail_id}")
    assert status == 200
    address = "https://shop.example/verify?t=a&amp;u=b"
    assert f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>. Thanks' in letter


def test_markup_in_a_mail_stays_text_and_the_page_may_load_nothing(port: int, tmp_path: Path) -> None:
    evil = '<script>alert(1)</script> javascript:alert(1) https://x.example/"onclick=alert(1)'
    mail_id = _store(tmp_path, subject="<b>bold</b>", text=evil)
    for path in ("/", f"/mail/{mail_id}"):
        _, page, headers = _get(port, path)
        assert "<script" not in page
        assert "<b>bold" not in page
        assert 'onclick=alert(1)"' not in page
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert 'href="javascript' not in page


def test_another_host_name_gets_nothing_and_a_missing_mail_is_missing(port: int, tmp_path: Path) -> None:
    _store(tmp_path, subject="Secret link", text="x")
    status, page, _ = _get(port, "/", host=f"evil.example:{port}")
    assert status == 421
    assert "Secret link" not in page
    assert _get(port, "/", host=f"localhost:{port}")[0] == 200
    assert _get(port, "/mail/../../secrets.json")[0] == 404
