"""E-mail addresses: one canonical form to look people up by, one to write to.

Normalised first and validated after, so that no look-alike passes the check and then turns into
somebody else's address (GHSA-7rqj-j65f-68wh). Mail goes to the stored address only (CVE-2019-19844).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CHARS_MAX = 254  # RFC 5321, 4.5.3.1.3
_LOCAL_CHARS_MAX = 64
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Address:
    """`raw` is what a person wrote and what we write to; `canonical` is whom it means."""

    raw: str
    canonical: str


def read_address(text: str) -> Address | None:
    """Return the address in `text`, or None when it is none.

    Upper and lower case mean the same person, as with every provider in use.
    """
    raw = unicodedata.normalize("NFKC", text).strip()
    local, at, domain = raw.rpartition("@")
    host = _ascii_host(domain)
    if not at or host is None or not _is_local(local):
        return None
    canonical = f"{local.lower()}@{host}"
    return Address(raw, canonical) if max(len(raw), len(canonical)) <= CHARS_MAX else None


def _is_local(local: str) -> bool:
    dots_in_place = not local.startswith(".") and not local.endswith(".") and ".." not in local
    printable = all(unicodedata.category(char)[0] != "C" for char in local)
    return bool(_LOCAL.fullmatch(local)) and len(local) <= _LOCAL_CHARS_MAX and dots_in_place and printable


def _ascii_host(domain: str) -> str | None:
    try:
        host = domain.encode("idna").decode().lower()
    except UnicodeError:
        return None
    labels = host.split(".")
    is_named = len(labels) > 1 and not labels[-1].isdecimal()
    return host if is_named and all(_LABEL.fullmatch(label) for label in labels) else None
