"""The mail inbox as the app meets it: a process that takes mail over SMTP."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from shipworthy.local.mailbox import list_mails
from shipworthy.local.ports import free_port
from tests.local.conftest import until


@contextmanager
def _mailbox(directory: Path, *, port: int, page_port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "shipworthy.local.mailbox", "--dir", str(directory)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--page-port", str(page_port)], stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        if "Traceback" in said:
            raise AssertionError(said)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _send(port: int, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(message)


def _mail(*, text: str = "Your link: https://shop.example/verify?t=1") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", "ann@example.com", "Confirm"
    message.set_content(text)
    return message


def test_a_mail_sent_over_smtp_is_listed_and_shown(tmp_path: Path) -> None:
    port, page_port = free_port(), free_port()
    with _mailbox(tmp_path / "mail", port=port, page_port=page_port) as process:
        until(lambda: _listens(port))
        _send(port, _mail())
        (mail,) = list_mails(tmp_path / "mail")
        assert (mail.to, mail.subject) == ("ann@example.com", "Confirm")
        assert "https://shop.example/verify?t=1" in mail.text
        with urllib.request.urlopen(f"http://127.0.0.1:{page_port}/", timeout=10) as page:
            assert "Confirm" in page.read().decode()
    assert process.returncode == 0, "SIGTERM is a normal end"


def test_a_mail_over_the_size_bound_is_refused_and_the_next_one_is_kept(tmp_path: Path) -> None:
    port = free_port()
    with _mailbox(tmp_path, port=port, page_port=0):
        until(lambda: _listens(port))
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            _send(port, _mail(text=("x" * 70 + "\n") * 160_000))
        assert refusal.value.smtp_code == 552
        _send(port, _mail())
        assert len(list_mails(tmp_path)) == 1


def test_a_taken_port_ends_it_with_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as rival:
        port = rival.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "shipworthy.local.mailbox", "--dir", str(tmp_path), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert f"Port {port} for the mail inbox is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_inbox_that_cannot_store_says_so_to_the_sender(place: Path) -> None:
    port = free_port()
    box = place / "mail"
    with _mailbox(box, port=port, page_port=0):
        until(lambda: _listens(port))
        os.rename(box, place / "gone")
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            _send(port, _mail())
        assert refusal.value.smtp_code == 452
