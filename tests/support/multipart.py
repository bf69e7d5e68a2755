"""A form with files as a browser sends it."""

from __future__ import annotations

from collections.abc import Mapping

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> bytes:
    """Return the body of a form: text fields, and files by name and bytes."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [
        (f'name="{name}"; filename="{_escaped(file)}"\r\nContent-Type: application/octet-stream', body)
        for name, (file, body) in files.items()
    ]
    written = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"
        for head, body in parts
    )
    return written + f"--{BOUNDARY}--\r\n".encode()


def _escaped(name: str) -> str:
    return name.replace('"', "%22")
