"""Refresh tokens: the same for the same counter, and believed only when we wrote them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.auth.programs.refresh_token import RefreshToken, read, write

KEY, REALM, PROGRAM = b"key", uuid.UUID(int=1), uuid.UUID(int=2)


@given(st.uuids(), st.integers(0, 10**15))
def test_what_was_written_is_read_again(program_id: uuid.UUID, counter: int) -> None:
    token = write(KEY, realm_id=REALM, program_id=program_id, counter=counter)
    assert read(KEY, token, realm_id=REALM) == RefreshToken(program_id=program_id, counter=counter)


def test_no_changed_character_is_believed() -> None:
    token = write(KEY, realm_id=REALM, program_id=PROGRAM, counter=7)
    for place, old in enumerate(token):
        for new in "0Aa._-":
            if new != old:
                changed = f"{token[:place]}{new}{token[place + 1 :]}"
                # The last character of the proof carries two bits that decode to nothing.
                assert read(KEY, changed, realm_id=REALM) is None, changed


@pytest.mark.parametrize(
    "text", ["", "swr1", "swr1...", "swr1." + "0" * 32 + ".01." + "A" * 22, "\udcff", "x" * 4000]
)
def test_anything_else_is_none_of_ours(text: str) -> None:
    assert read(KEY, text, realm_id=REALM) is None


def test_another_realms_and_another_installations_token_is_none_of_ours() -> None:
    token = write(KEY, realm_id=REALM, program_id=PROGRAM, counter=0)
    assert read(KEY, token, realm_id=uuid.UUID(int=9)) is None
    assert read(b"other", token, realm_id=REALM) is None
