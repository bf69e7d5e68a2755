"""The rules, one function each, from what was read to remarks. Pure.

`block` stops a publish: visitors or crawlers would meet something broken. `warn` costs readers or search results.
`info` is advice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from shipworthy.kernel.language import _, _n
from shipworthy.rooms.site.addresses import RESERVED, requested_path
from shipworthy.rooms.site.head import DESCRIPTION_CHARS, title_of
from shipworthy.rooms.site.lint.reading import Link, Reading

Level = Literal["block", "warn", "info"]
LEVELS: tuple[Level, ...] = ("block", "warn", "info")

TITLE_CHARS = 60  # what a list of search results shows of it
WORDS_MIN = 50
WORDS_BEFORE_HEADING_MAX = 300
_FILES = "/_"  # addresses that begin so are made by the app itself


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing somebody should know, and where: a block, or a field of the page."""

    level: Level
    code: str
    text: str
    block_id: str = ""
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A page about to be published. `there` says of the site's own addresses that it links to which exist:
    True where visitors find something, False where only a draft is."""

    path: str
    title: str
    site_title: str
    description: str
    in_menu: bool
    has_own_top: bool
    reading: Reading
    origin: str = ""
    is_noindex: bool = False
    there: Mapping[str, bool] = field(default_factory=dict)


def remarks(subject: Subject) -> list[Remark]:
    """Return what is to be said, the gravest first and then in the order of the page."""
    found = [remark for rule in RULES for remark in rule(subject)]
    return sorted(found, key=lambda remark: LEVELS.index(remark.level))


def internal_paths(subject: Subject) -> list[str]:
    """Return every address of the site itself that the page links to, once each."""
    paths = (_internal(link, subject) for link in subject.reading.links)
    return list(dict.fromkeys(path for path in paths if path is not None))


def _title(subject: Subject) -> Iterator[Remark]:
    shown = title_of(subject.title, subject.site_title)
    if not subject.title.strip():
        yield Remark("block", "title_missing", _("The page has no title."), field="title")
    elif len(shown) > TITLE_CHARS:
        text = _(
            "Search results show about {count} characters of a title; “{title}” has {has}.",
            count=TITLE_CHARS,
            title=shown,
            has=len(shown),
        )
        yield Remark("warn", "title_long", text, field="title")


def _description(subject: Subject) -> Iterator[Remark]:
    if not subject.description.strip():
        text = _("Without a description, search engines show what they find on the page.")
        yield Remark("warn", "description_missing", text, field="description")
    elif len(subject.description) > DESCRIPTION_CHARS:
        text = _(
            "Search results show about {count} characters of a description; this one has {has}.",
            count=DESCRIPTION_CHARS,
            has=len(subject.description),
        )
        yield Remark("warn", "description_long", text, field="description")


def _noindex(subject: Subject) -> Iterator[Remark]:
    if subject.is_noindex and subject.in_menu:
        text = _("The page stands in the menu and is kept out of search engines. Choose one of both.")
        yield Remark("block", "noindex_in_menu", text, field="in_menu")


def _headings(subject: Subject) -> Iterator[Remark]:
    has_h1, level = not subject.has_own_top, 1
    for heading in subject.reading.headings:
        if heading.level == 1 and has_h1:
            text = _(
                "The page has a second heading of the first level. Its title is the first; use level two."
            )
            yield Remark("block", "h1_twice", text, heading.block_id)
        elif heading.level > level + 1:
            text = _(
                "A heading of level {one} follows one of level {other}. Screen readers expect none left out.",
                one=heading.level,
                other=level,
            )
            yield Remark("warn", "heading_jump", text, heading.block_id)
        has_h1 = has_h1 or heading.level == 1
        level = heading.level


def _pictures(subject: Subject) -> Iterator[Remark]:
    for picture in subject.reading.pictures:
        if not picture.is_decided:
            text = _(
                "A picture has no text for those who do not see it. Describe it, or say that it is decoration."
            )
            yield Remark("block", "alt_undecided", text, picture.block_id)


def _links(subject: Subject) -> Iterator[Remark]:
    for link in subject.reading.links:
        if not link.text.strip():
            yield Remark(
                "warn",
                "link_without_text",
                _("A link to {href} has no words.", href=link.href),
                link.block_id,
            )
        path = _internal(link, subject)
        if path is not None and path != subject.path and path not in subject.there:
            yield Remark(
                "block",
                "link_broken",
                _("A link leads to {path}, and no page is there.", path=path),
                link.block_id,
            )
        elif path is not None and path != subject.path and not subject.there.get(path):
            yield Remark(
                "warn",
                "link_to_draft",
                _("A link leads to {path}, which is not published.", path=path),
                link.block_id,
            )
        elif path is None and _is_relative(link.href):
            text = _(
                "A link leads to “{href}”. An address begins with /, https://, mailto: or tel:.",
                href=link.href,
            )
            yield Remark("block", "link_unclear", text, link.block_id)


def _length(subject: Subject) -> Iterator[Remark]:
    words = subject.reading.words
    if words < WORDS_MIN:
        text = _n(
            "The page has one word. Search engines rarely show pages of less than {least}.",
            "The page has {count} words. Search engines rarely show pages of less than {least}.",
            words,
            least=WORDS_MIN,
        )
        yield Remark("warn", "thin", text)
    if words > WORDS_BEFORE_HEADING_MAX and not any(h.level > 1 for h in subject.reading.headings):
        text = _("The text is long and has no heading. Readers look for headings first.")
        yield Remark("info", "no_headings", text)


RULES = (_title, _description, _noindex, _headings, _pictures, _links, _length)


def _internal(link: Link, subject: Subject) -> str | None:
    """Return the site's own path a link leads to; None for every other link."""
    href = link.href
    if subject.origin and (href == subject.origin or href.startswith(subject.origin + "/")):
        href = href[len(subject.origin) :] or "/"
    if not href.startswith("/") or href.startswith(("//", _FILES)):
        return None
    path = requested_path(href.partition("#")[0].partition("?")[0].encode())
    if (
        path is None
        or path.startswith(_FILES)
        or any(path == r or path.startswith(r + "/") for r in RESERVED)
    ):
        return None
    return path


def _is_relative(href: str) -> bool:
    """Say whether a link has neither a place on the site nor a kind: somebody forgot how it begins."""
    try:
        return not href.startswith(("/", "#", "?")) and not urlsplit(href).scheme
    except ValueError:
        return True


def by_level(found: Sequence[Remark]) -> dict[Level, list[Remark]]:
    return {level: [remark for remark in found if remark.level == level] for level in LEVELS}
