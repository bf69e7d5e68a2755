"""The seal: of one form, of what was written, of one key; it opens to when it was made and one id."""

from __future__ import annotations

import pytest

from shipworthy.rooms.site.forms.seal import opened, seal

KEY, VALUES = b"k" * 32, {"name": "Ada"}


def test_a_seal_opens_to_its_age_and_always_the_same_id() -> None:
    made = seal(KEY, "f", VALUES, now_s=1_000)
    first, again = (opened(KEY, "f", VALUES, made, now_s=at) for at in (1_005, 1_009))
    assert first and again and (first.age_s, again.age_s) == (5, 9)
    assert first.message_id == again.message_id
    other = opened(KEY, "f", VALUES, seal(KEY, "f", VALUES, now_s=1_000), now_s=1_000)
    assert other and other.message_id != first.message_id


def test_a_seal_of_anything_else_does_not_open() -> None:
    made = seal(KEY, "f", VALUES, now_s=1_000)
    assert opened(b"x" * 32, "f", VALUES, made, now_s=1_005) is None
    assert opened(KEY, "g", VALUES, made, now_s=1_005) is None
    assert opened(KEY, "f", {"name": "Eve"}, made, now_s=1_005) is None
    assert opened(KEY, "f", VALUES, made.replace("1000", "2000", 1), now_s=1_005) is None


@pytest.mark.parametrize("text", ["", ".", "..", "1.2.3", "\u0661.x.y", "9" * 500, "-1..", "\udc80.a.b"])
def test_noise_does_not_open(text: str) -> None:
    assert opened(KEY, "f", VALUES, text, now_s=1_005) is None
