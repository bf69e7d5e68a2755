"""Mails are kept whole, bounded, and readable whatever their encoding."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

from shipworthy.local.mails import find_mail, list_mails, store_mail


def _message(*, text: str = "", html: str = "", subject: str = "Hello") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", "ann@example.com", subject
    if text:
        message.set_content(text)
    if html:
        (message.add_alternative if text else message.set_content)(html, subtype="html")
    return message.as_bytes()


def test_both_bodies_and_an_accented_subject_come_back(tmp_path: Path) -> None:
    content = _message(text="Grüße\n", html="<p>Grüße</p>\n", subject="Prüfung ✓")
    mail_id = store_mail(tmp_path, content, recipients=["ann@example.com", "bcc@example.com"])
    (mail,) = list_mails(tmp_path)
    assert mail == find_mail(tmp_path, mail_id)
    assert (mail.subject, mail.text, mail.html) == ("Prüfung ✓", "Grüße\n", "<p>Grüße</p>\n")
    assert mail.to == "ann@example.com, bcc@example.com"
    assert mail.sender == "shop@example.com"
    assert mail.received_at.tzinfo is not None


def test_the_newest_come_first_and_the_oldest_go(tmp_path: Path) -> None:
    for number in range(5):
        store_mail(
            tmp_path, _message(text="x", subject=str(number)), recipients=["a@example.com"], mails_max=3
        )
    assert [mail.subject for mail in list_mails(tmp_path)] == ["4", "3", "2"]
    assert list_mails(tmp_path / "none") == []


def test_an_html_mail_is_readable_as_text_with_its_links(tmp_path: Path) -> None:
    html = '<style>p{}</style><h1>Welcome</h1><p>Confirm <a href="https://shop.example/v?t=1&amp;u=2">here</a>.</p>'
    store_mail(tmp_path, _message(html=html), recipients=["a@example.com"])
    assert list_mails(tmp_path)[0].text == "Welcome\nConfirm https://shop.example/v?t=1&u=2 here."


def test_a_mail_in_an_unknown_charset_or_without_headers_is_still_shown(tmp_path: Path) -> None:
    unknown = b"Subject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\nplain words\r\n"
    store_mail(tmp_path, unknown, recipients=["a@example.com"])
    store_mail(tmp_path, b"\r\njust words \xff\r\n", recipients=["a@example.com"])
    newest, oldest = list_mails(tmp_path)
    assert "just words" in newest.text
    assert "plain words" in oldest.text


def test_files_that_are_not_ours_are_neither_shown_nor_deleted(tmp_path: Path) -> None:
    for name in ("notes.eml", "zzz.txt", "99999999999999999999-xyz.eml"):
        (tmp_path / name).write_text("mine")
    for _ in range(2):
        store_mail(tmp_path, _message(text="x"), recipients=["a@example.com"], mails_max=1)
    assert len(list_mails(tmp_path)) == 1
    assert len(list(tmp_path.iterdir())) == 4
    assert find_mail(tmp_path, "../secrets") is None
