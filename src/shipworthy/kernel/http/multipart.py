"""Forms with files (multipart/form-data, RFC 7578), from bytes that are whole already. Strict: what a browser
writes is understood, everything else is refused."""

from __future__ import annotations

import re
from urllib.parse import unquote

MULTIPART = "multipart/form-data"
_PARTS_MAX = 200
_HEAD_BYTES_MAX = 2_000
_BOUNDARY = re.compile(r';\s*boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?\s*(?:;|$)')
_NAME = re.compile(r';\s*name="([^"]*)"')
_FILE_NAME = re.compile(r';\s*filename="([^"]*)"')


class BadMultipart(ValueError):
    """The body is no multipart form."""


def parse_multipart(data: bytes, content_type: str) -> list[tuple[str, str | bytes]]:
    """Return the fields of a form in their order: text, or the bytes of a file. The name a file had where it came
    from follows as a field of its own, `<field>_name`.

    Errors:  BadMultipart.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise BadMultipart("no boundary")
    delimiter = b"\r\n--" + found.group(1).encode()
    opening, *parts = (b"\r\n" + data).split(delimiter, _PARTS_MAX + 1)
    if opening or not parts or not parts[-1].startswith(b"--") or len(parts) > _PARTS_MAX:
        raise BadMultipart("not whole")
    fields: list[tuple[str, str | bytes]] = []
    for part in parts[:-1]:
        fields += _fields_of(part)
    return fields


def _fields_of(part: bytes) -> list[tuple[str, str | bytes]]:
    head, mark, content = part.partition(b"\r\n\r\n")
    if not mark or not head.startswith(b"\r\n") or len(head) > _HEAD_BYTES_MAX:
        raise BadMultipart("a part without a head")
    try:
        disposition = _disposition(head.decode("utf-8"))
        name = _NAME.search(disposition)
        if name is None:
            raise BadMultipart("a part without a name")
        field, file_name = _unescaped(name.group(1)), _FILE_NAME.search(disposition)
        if file_name is None:
            return [(field, content.decode("utf-8"))]
    except UnicodeDecodeError:
        raise BadMultipart("not UTF-8") from None
    return [(field, content), (f"{field}_name", _unescaped(file_name.group(1)))]


def _disposition(head: str) -> str:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition" and value.strip().lower().startswith("form-data"):
            return value
    raise BadMultipart("a part that is no field")


def _unescaped(name: str) -> str:
    """Browsers write a quotation mark and line breaks percent-encoded, and nothing else (HTML, 4.10.21.8)."""
    return re.sub(r"%(?:22|0D|0A)", lambda match: unquote(match.group()), name)
