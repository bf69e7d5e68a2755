"""Forms with files: what browsers send is understood byte for byte, what nobody sends is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.http.binding import Body, NotUnderstood, parse_body
from shipworthy.kernel.http.multipart import BadMultipart, parse_multipart
from tests.support.multipart import BOUNDARY, CONTENT_TYPE, multipart


class Upload(Body):
    file: bytes
    file_name: str = ""
    alt: str = ""


@given(
    st.binary(max_size=300).filter(lambda b: BOUNDARY.encode() not in b),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n%"), max_size=30),
)
def test_a_file_and_its_words_come_out_as_they_went_in(file: bytes, words: str) -> None:
    data = multipart({"alt": words}, {"file": (words, file)})
    read = parse_body(data, CONTENT_TYPE, Upload)
    assert (read.file, read.file_name, read.alt) == (file, words, words)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", CONTENT_TYPE),
        (multipart({"alt": "x"}, {}), "multipart/form-data"),
        (multipart({"alt": "x"}, {})[:-4], CONTENT_TYPE),
        (b"preamble\r\n" + multipart({"alt": "x"}, {}), CONTENT_TYPE),
        (multipart({"alt": "x"}, {}).replace(b"form-data; ", b"attachment; "), CONTENT_TYPE),
        (multipart({"alt": "x"}, {}).replace(b"name=", b"nome="), CONTENT_TYPE),
        (multipart({"alt": "x"}, {}).replace(b"\r\n\r\nx", b"\r\nx"), CONTENT_TYPE),
        (multipart({"alt": "x"}, {}).replace(b"\r\n\r\nx", b"\r\n\r\n\xff"), CONTENT_TYPE),
        (multipart({f"a{n}": "x" for n in range(250)}, {}), CONTENT_TYPE),
    ],
)
def test_what_is_no_form_is_refused(data: bytes, content_type: str) -> None:
    with pytest.raises(BadMultipart):
        parse_multipart(data, content_type)
    with pytest.raises(NotUnderstood):
        parse_body(data, content_type, Upload)


def test_a_field_with_a_null_character_is_refused_and_a_file_with_one_is_not() -> None:
    with pytest.raises(NotUnderstood):
        parse_body(multipart({"alt": "a\0b"}, {"file": ("x", b"")}), CONTENT_TYPE, Upload)
    assert parse_body(multipart({}, {"file": ("x", b"a\0b")}), CONTENT_TYPE, Upload).file == b"a\0b"
