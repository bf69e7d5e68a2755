"""Addresses inside what came from elsewhere: which of them mean a page or a picture that came along. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

from shipworthy.rooms.site.addresses import encoded, requested_path

_SIZE = re.compile(r"-\d{1,5}x\d{1,5}(?=\.[A-Za-z]{3,4}$)|-scaled(?=\.[A-Za-z]{3,4}$)")
_IDS = ("p", "page_id", "attachment_id")  # how WordPress names a page in a query
_IN_HTML = re.compile(r"""(?:href|src)\s*=\s*["']?([^"'\s>]{1,2000})""")
_IN_REF = re.compile(r"\bref\s+\"?([^\"\s%>]{1,500})")
_IN_MARKDOWN = re.compile(r"\]\(\s*<?([^)\s>]{1,2000})")
_GALLERIES = re.compile(r"""\bids=["']?([\d,\s]{1,2000})""")
_CLASSES = re.compile(r"\bwp-image-(\d{1,12})\b")
FOLDER = "https://folder.invalid"  # the website that a folder of files is taken for (RFC 2606: no host has this name)
_LOCAL = re.compile(r"^(?![a-z][a-z0-9+.-]*:|//|/|#)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that came along: its id here, what it shows, and the address of its largest form."""

    asset_id: uuid.UUID
    alt: str
    address: str


@dataclass(slots=True, kw_only=True)
class Places:
    """What is known while one page is converted. `origin` is the address of the website it came from."""

    origin: str = ""
    here: str = ""  # where the page stood, for addresses that are relative to it
    paths: Mapping[str, str] = field(default_factory=dict)  # an old path -> the page's path here
    ids: Mapping[str, str] = field(default_factory=dict)  # an id there -> the page's path here
    pictures: Mapping[str, Shown] = field(default_factory=dict)  # picture_key -> what it is here
    picture_ids: Mapping[str, Shown] = field(default_factory=dict)

    def picture(self, address: str) -> Shown | None:
        return self.pictures.get(picture_key(self._whole(address)))

    def link(self, address: str) -> str:
        """Return where a link is to lead: to the page here that it means, or where it led."""
        whole = self._whole(address)
        try:
            url = urlsplit(whole)
        except ValueError:
            return ""
        if not self._is_own(whole):
            return address if not _LOCAL.match(address) or not url.scheme else whole
        if (shown := self.picture(address)) is not None:
            return shown.address
        fragment = f"#{url.fragment}" if url.fragment else ""
        asked = parse_qs(url.query)
        named = next((asked[name][0] for name in _IDS if name in asked), "")
        path = self.ids.get(named) if named else self.paths.get(old_path(url.path))
        if path:
            return encoded(path) + fragment
        return whole.removeprefix(FOLDER) if self.origin == FOLDER else whole

    def _whole(self, address: str) -> str:
        try:
            return urljoin(self.here or self.origin, address.strip())
        except ValueError:  # no address at all
            return address.strip()

    def _is_own(self, whole: str) -> bool:
        return bool(self.origin) and site_of(whole) == site_of(self.origin)


def keys_in(text: str, *, here: str) -> tuple[set[str], set[str], set[str]]:
    """Return what a text may mean: old paths, ids, and keys of pictures, for one look at what there is."""
    paths, ids, pictures = set(), set(), set()
    for address in (*_IN_HTML.findall(text), *_IN_MARKDOWN.findall(text), *_IN_REF.findall(text)):
        try:
            whole = urljoin(here, address)
            url = urlsplit(whole)
        except ValueError:
            continue
        paths.add(old_path(url.path))
        pictures.add(picture_key(whole))
        asked = parse_qs(url.query)
        ids |= {asked[name][0] for name in _IDS if name in asked}
    for listed in _GALLERIES.findall(text):
        ids |= {number.strip() for number in listed.split(",")}
    ids |= set(_CLASSES.findall(text))
    return paths - {""}, ids, pictures


def old_path(path: str) -> str:
    """Return the one form of a path of another website, whether it is percent-encoded or not."""
    return requested_path(path.encode()) or ""


def picture_key(address: str) -> str:
    """Return what names a picture's file, in whatever size and by whatever scheme it is asked for."""
    try:
        url = urlsplit(address.strip())
    except ValueError:
        return ""
    path = unquote(url.path).lower()
    if not address.startswith(FOLDER):  # WordPress keeps each picture in several sizes
        path = _SIZE.sub("", path)
    return f"{(url.hostname or '').removeprefix('www.')}{path}"[:600]


def site_of(address: str) -> str:
    """Return which website an address is of: scheme and `www.` make no difference."""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
