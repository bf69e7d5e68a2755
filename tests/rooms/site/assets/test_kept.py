"""Pictures that come back: taken byte for byte when they are ours, made anew when anything else is in them."""

from __future__ import annotations

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.assets.image import accept
from shipworthy.rooms.site.assets.kept import accept_kept, holds_nothing_else
from tests.rooms.site.assets.test_image import png, secretive
from tests.support.pictures import drawing, file_of


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_what_we_keep_is_taken_as_it_is_and_only_as_it_is(form: str) -> None:
    for width in (60, 700):
        ours = accept(file_of(drawing(width, 40), form)).body
        assert accept_kept(ours).body == ours
        for changed in (ours + b"<script>", ours + b"\0"):
            assert not holds_nothing_else(changed)
            try:
                assert b"<script>" not in accept_kept(changed).body
            except Invalid:
                continue


def test_a_transparent_picture_is_taken_as_it_is() -> None:
    image = drawing(60, 40, mode="RGBA")
    image.putalpha(90)
    for form in ("PNG", "WEBP"):
        ours = accept(file_of(image, form)).body
        assert accept_kept(ours).body == ours


def test_no_word_comes_back_with_a_picture() -> None:
    for sent in secretive():
        assert not holds_nothing_else(sent)
        assert b"54.3233" not in accept_kept(sent).body


def test_a_picture_that_cannot_be_is_refused_here_too() -> None:
    for sent in (b"", b"\xff\xd8", b"RIFF\0\0\0\0WEBP", png(10, 10, b"")):
        with pytest.raises(Invalid):
            accept_kept(sent)
