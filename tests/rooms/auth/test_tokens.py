"""Tokens of mailed links."""

from __future__ import annotations

import re
import uuid

from shipworthy.rooms.auth.tokens import digest, mint

REALM, TOKEN = uuid.uuid4(), uuid.uuid4()


def test_a_token_can_be_made_again_and_differs_by_key_realm_and_id() -> None:
    token = mint(b"key", realm_id=REALM, token_id=TOKEN)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert mint(b"key", realm_id=REALM, token_id=TOKEN) == token
    others = {
        mint(b"other key", realm_id=REALM, token_id=TOKEN),
        mint(b"key", realm_id=TOKEN, token_id=TOKEN),
        mint(b"key", realm_id=REALM, token_id=REALM),
        token,
    }
    assert len(others) == 4


def test_the_digest_of_any_text_a_link_may_hold_is_32_bytes() -> None:
    assert {len(digest(text)) for text in ("", "x", "\udcff", "é" * 1_000)} == {32}
