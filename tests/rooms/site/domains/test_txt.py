"""Asking the DNS for TXT records, over a real socket: what it says, that it says nothing, and nonsense."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.errors import Upstream
from shipworthy.rooms.site.domains import txt
from shipworthy.rooms.site.domains.txt import look_up_txt
from tests.rooms.site.domains.conftest import SERVFAIL, Dns


async def test_every_text_of_a_name_is_read_whole_and_a_guessed_answer_is_left(dns: Dns) -> None:
    long = "x" * 600
    dns.texts["_a.example.org"] = ["one", long, "grüß"]
    server = f"127.0.0.1:{dns.port}"
    assert await look_up_txt("_a.example.org", server=server) == ["one", long, "grüß"]
    assert await look_up_txt("nobody.example.org", server=server) == []


@pytest.mark.parametrize(
    "raw", [b"", b"\xc0", b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 300, 9), b"\x05ab", b"\x01a" * 200]
)
async def test_an_answer_that_is_nonsense_is_no_answer(dns: Dns, raw: bytes) -> None:
    dns.texts["a.example"], dns.raw = ["one", "two"], raw
    with pytest.raises(Upstream):
        await look_up_txt("a.example", server=f"127.0.0.1:{dns.port}")


async def test_a_server_that_refuses_or_says_nothing_is_said_to(
    dns: Dns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(txt, "_TIMEOUT_S", 0.05)
    dns.code = SERVFAIL
    server = f"127.0.0.1:{dns.port}"
    for change in ({"code": SERVFAIL}, {"code": 0, "is_silent": True}):
        for name, value in change.items():
            setattr(dns, name, value)
        with pytest.raises(Upstream) as refused:
            await look_up_txt("a.example", server=server)
        assert refused.value.code == "site.dns_unavailable"
    assert dns.asked.count("a.example") == 3  # refused once, asked twice where nobody answered
    with pytest.raises(Upstream):
        await look_up_txt(f"{'a' * 64}.example", server=server)


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reading_otherwise_than_as_nonsense(rest: bytes) -> None:
    question = b"\x01a\x00\x00\x10\x00\x01"
    answer = struct.pack(">HHHHHH", 1, 0x8180, 1, 2, 0, 0) + question + rest
    with contextlib.suppress(IndexError, ValueError, struct.error):
        assert all(isinstance(text, str) for text in txt._texts(answer, question))
