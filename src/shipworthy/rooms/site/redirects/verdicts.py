"""What becomes of a redirect somebody wants: checked against the pages, the other redirects, and those wanted with it.

Pure. An address of the website itself is led to as a page, never as text, so no redirect can lead to another: what
would be a chain or a circle is seen here, before it is written.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.site.addresses import requested_path, wanted_path
from shipworthy.rooms.site.redirects.leads import GONE, STATUSES

URL_CHARS_MAX = 2_000
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_URL_SAFE = "/?#[]@!$&'()*+,;=:%~._-"  # as they stand in an address already

NEW, REPLACES, SAME = "new", "replaces", "same"
Place = tuple[uuid.UUID, str]  # a path on a site


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A redirect as somebody writes it: `to` is a path of the website or a URL; nothing for 410."""

    from_path: str
    to: str = ""
    status: int = 301
    to_page_id: uuid.UUID | None = None
    line: int = 0  # of the list it was read from


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is there already, as far as the wanted ones touch it."""

    site_id: uuid.UUID
    hosts: Mapping[str, uuid.UUID]  # the tenant's own, and whose site each shows
    pages: Mapping[Place, tuple[uuid.UUID, str]]  # id and status
    redirects: Mapping[str, tuple[uuid.UUID | None, str | None, int]]  # of this site: page, URL, status
    page_ids: frozenset[uuid.UUID] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one wanted redirect. `problem` is a code where it cannot be written."""

    wanted: Wanted
    from_path: str
    outcome: str = ""
    to_page_id: uuid.UUID | None = None
    to_url: str | None = None
    problem: str = ""
    message: str = ""
    field: str = ""

    @property
    def is_good(self) -> bool:
        return not self.problem


def places_of(wanted: Sequence[Wanted], *, hosts: Mapping[str, uuid.UUID]) -> set[str]:
    """Return every path that the wanted ones may touch, for one look at what is there."""
    paths = set()
    for one in wanted:
        paths.add(_path_or_empty(one.from_path))
        url = urlsplit(one.to.strip()) if _is_url(one.to) else None
        if url is None:
            paths.add(_path_or_empty(one.to))
        elif (url.hostname or "") in hosts:
            paths.add(_path_or_empty(url.path or "/"))
    return paths - {""}


def judge(wanted: Sequence[Wanted], known: Known) -> list[Verdict]:
    """Return what becomes of each, in order. Those wanted together count as if all were there."""
    beside: dict[str, str] = {}
    for one in wanted:
        beside.setdefault(_path_or_empty(one.from_path), _inner_path(one, known))
    seen: set[str] = set()
    verdicts = []
    for one in wanted:
        path = _path_or_empty(one.from_path)
        try:
            if path in seen:
                raise _Wrong("twice", _("This address stands above already."), "from_path")
            verdicts.append(_judged(one, path, known, beside))
        except _Wrong as wrong:
            verdicts.append(
                Verdict(
                    wanted=one,
                    from_path=path,
                    problem=wrong.problem,
                    message=wrong.message,
                    field=wrong.field,
                )
            )
        seen.add(path)
    return verdicts


class _Wrong(Exception):
    """A redirect cannot be written; `problem` is its code without what all begin with."""

    def __init__(self, problem: str, message: str, field: str) -> None:
        super().__init__(message)
        self.problem, self.message, self.field = f"redirect_{problem}", message, field


def _judged(one: Wanted, path: str, known: Known, beside: Mapping[str, str]) -> Verdict:
    if wrong := _from_wrong(one.from_path, path):
        raise _Wrong("invalid", wrong, "from_path")
    page = known.pages.get((known.site_id, path))
    if page is not None and page[1] == "published":
        message = _("A published page is at {path}, and a page wins. Move or unpublish it first.", path=path)
        raise _Wrong("shadowed", message, "from_path")
    page_id, url = _target(one, path, known, beside)
    there = known.redirects.get(path)
    outcome = NEW if there is None else SAME if there == (page_id, url, one.status) else REPLACES
    return Verdict(wanted=one, from_path=path, outcome=outcome, to_page_id=page_id, to_url=url)


def _target(
    one: Wanted, path: str, known: Known, beside: Mapping[str, str]
) -> tuple[uuid.UUID | None, str | None]:
    """Return page or URL that one leads to; neither for what is gone."""
    if one.status == GONE:
        if one.to.strip() or one.to_page_id:
            raise _Wrong("invalid", _("What is gone (410) leads nowhere."), "to")
        return None, None
    if one.status not in STATUSES:
        raise _Wrong("invalid", _("Use 301, 302, 307 or 308, or 410 for what is gone."), "status")
    if one.to_page_id is None:
        return _named(one, path, known, beside)
    if one.to_page_id not in known.page_ids:
        raise _Wrong("invalid", _("There is no such page."), "to_page_id")
    return one.to_page_id, None


def _from_wrong(text: str, path: str) -> str:
    """Say what is wrong with an address that is to lead elsewhere; nothing when it may."""
    if not text.strip():
        return _("Write the address that leads elsewhere.")
    if "?" in text or "#" in text:
        return _("Leave out what stands behind ? or #: it is taken along by itself.")
    try:
        wanted_path(path or text)
    except Invalid as invalid:
        return invalid.message
    return ""


def _named(
    one: Wanted, path: str, known: Known, beside: Mapping[str, str]
) -> tuple[uuid.UUID | None, str | None]:
    """Return page or URL of one that names a path or a URL."""
    if not one.to.strip():
        raise _Wrong("invalid", _("Say where it leads: a page, or an address."), "to")
    try:
        site_id, there = _place(one.to, known)
    except ValueError as wrong:
        raise _Wrong("invalid", str(wrong), "to") from None
    if site_id is None:
        return None, there
    if (site_id, there) == (known.site_id, path):
        raise _Wrong("loop", _("This address would lead to itself."), "to")
    page = known.pages.get((site_id, there))
    is_wanted = site_id == known.site_id and there in beside
    if page is not None and (page[1] == "published" or not is_wanted):
        return page[0], None
    if is_wanted:
        raise _Wrong(*_walked(path, there, beside), "to")
    if site_id == known.site_id and there in known.redirects:
        raise _Wrong("chain", _("{path} leads on itself. Lead straight to where it ends.", path=there), "to")
    raise _Wrong("nowhere", _("There is no page at {path}.", path=there), "to")


def _walked(path: str, there: str, beside: Mapping[str, str]) -> tuple[str, str]:
    """Say whether what is wanted together goes in a circle or is only a chain."""
    first, walked = there, {path}
    while there in beside:
        if there in walked:
            return "loop", _("Together with other rows this goes in a circle.")
        walked.add(there)
        there = beside[there]
    return "chain", _("{path} leads on itself, in another row. Lead straight to where it ends.", path=first)


def _place(to: str, known: Known) -> tuple[uuid.UUID | None, str]:
    """Return site and path of an address of the tenant's own websites, or None and the URL of another one.

    Errors:  ValueError saying what is wrong with the address.
    """
    if not _is_url(to):
        if not to.strip().startswith("/"):
            raise ValueError("Begin with / for a page of this website, or with https:// for another one.")
        return known.site_id, _path(to)
    url = urlsplit(to.strip())
    host = (url.hostname or "").rstrip(".")
    if host in known.hosts:
        return known.hosts[host], _path(url.path or "/")
    return None, whole_url(to.strip())


def whole_url(text: str) -> str:
    """Return the URL as it may stand in a header: ASCII, without a person in it. Errors: ValueError."""
    url = urlsplit(text)
    try:
        host = (url.hostname or "").encode("idna").decode().lower()
        port = f":{url.port}" if url.port else ""
    except (UnicodeError, ValueError):
        raise ValueError("This host name cannot be.") from None
    if url.username or url.password or not _HOST.fullmatch(host):
        raise ValueError("Write a whole address, such as https://example.org/page.")
    rest = [quote(part, safe=_URL_SAFE) for part in (url.path or "/", url.query, url.fragment)]
    whole = urlunsplit((url.scheme.lower(), host + port, *rest))
    if len(whole) > URL_CHARS_MAX:
        raise ValueError(f"An address has at most {URL_CHARS_MAX} characters.")
    return whole


def _path(text: str) -> str:
    path = _path_or_empty(text)
    if not path:
        raise ValueError("No page can have this address.")
    return path


def _inner_path(one: Wanted, known: Known) -> str:
    """Return the path of this website that one leads to; nothing where it leads to a page or elsewhere."""
    try:
        site_id, there = _place(one.to, known) if one.to.strip() else (None, "")
    except ValueError:
        return ""
    return there if site_id == known.site_id else ""


def _path_or_empty(text: str) -> str:
    """Return the one form of a path as it may be typed or copied from a URL, without host, query and fragment."""
    if not text.strip():
        return ""
    bare = urlsplit(text.strip()).path if _is_url(text) else text.strip().partition("#")[0].partition("?")[0]
    return requested_path(quote(bare, safe="/%~._-").encode()) or ""


def _is_url(text: str) -> bool:
    return text.strip().lower().startswith(("http://", "https://"))
