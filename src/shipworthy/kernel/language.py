"""What language our texts are in: `_` marks a text, in code and in templates alike, and says it to its reader.

The language is the one fact of a request that is ambient: a refusal is made where no `ctx` reaches, and is
read by a person all the same. English stands in the code; every other language in gettext files,
`languages/<language>/*.po` of the kernel and of each room, compiled when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal, get_args

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Locale = Literal["en", "de"]
LOCALES: tuple[Locale, ...] = get_args(Locale)
LANGUAGE_COOKIE = "language"

LANGUAGE_NAMES: dict[Locale, str] = {"en": "English", "de": "Deutsch"}
_PACKAGE = Path(__file__).parent.parent
_also: list[Path] = []  # rooms outside of it; their words are preferred to ours
_spoken: ContextVar[Locale] = ContextVar("language", default="en")
_ACCEPT_CHARS_MAX = 200  # the languages a person reads stand at the beginning


def _(text: str, /, *, context: str = "", **facts: object) -> str:
    """Return a text of ours in the reader's language, its `{names}` filled in.

    `context` tells apart what is one word in English and several elsewhere.

    Example: `_("Issued as {number}.", number=number)`
    """
    words = translations(_spoken.get())
    said = words.pgettext(context, text) if context else words.gettext(text)
    return said.format(**facts) if facts else said


def _n(one: str, many: str, count: int, /, **facts: object) -> str:
    """Return the form that goes with `count`, which may stand in the text.

    Example: `_n("{count} line", "{count} lines", count)`
    """
    return translations(_spoken.get()).ngettext(one, many, count).format(count=count, **facts)


def mark(text: str, /) -> str:
    """Mark a text that is written down before there is a reader; `_` says it when there is one."""
    return text


def spoken() -> Locale:
    """Return the language in which this request (or job) speaks."""
    return _spoken.get()


def speak(chosen: str) -> None:
    """Speak from here on what a person chose, where that is a language of ours. Call it within `speaking`."""
    known = next((locale for locale in LOCALES if locale == chosen), None)
    if known is not None:
        _spoken.set(known)


def other_languages() -> list[dict[str, str]]:
    """Return the languages that a reader may change to, each in its own words."""
    return [{"code": code, "name": name} for code, name in LANGUAGE_NAMES.items() if code != _spoken.get()]


@contextmanager
def speaking(locale: Locale) -> Iterator[None]:
    """Speak this language in here."""
    before = _spoken.set(locale)
    try:
        yield
    finally:
        _spoken.reset(before)


def chosen_language(chosen: str | None, accept: str, *, otherwise: Locale) -> Locale:
    """Return what the person chose, else what their browser asks for (RFC 9110, 12.5.4), else the app's."""
    known = next((locale for locale in LOCALES if locale == chosen), None)
    return known or _accepted(accept[:_ACCEPT_CHARS_MAX]) or otherwise


def day_text(when: date, *, is_long: bool = False) -> str:
    """Return a day as the reader writes it: `3 Nov 2026`, `03.11.2026`; long with the month's whole name."""
    return format_date(when, _DAYS[_spoken.get()][is_long], locale=_spoken.get())


def short_day_text(when: date) -> str:
    """Return a day of the year as the reader writes it in little room: `3 Nov`, `3. Nov`."""
    return format_date(when, _SHORT_DAYS[_spoken.get()], locale=_spoken.get()).rstrip(".")


def month_text(when: date, *, is_long: bool = False) -> str:
    """Return a day's month as the reader writes it: `Nov`; long with its year, `November 2026`."""
    return format_date(when, "LLLL y" if is_long else "LLL", locale=_spoken.get()).rstrip(".")


# English as most of the world writes it: CLDR's own "en" is the American order.
_DAYS: dict[Locale, tuple[str, str]] = {"en": ("d MMM y", "d MMMM y"), "de": ("dd.MM.y", "d. MMMM y")}

_SHORT_DAYS: dict[Locale, str] = {"en": "d MMM", "de": "d. MMM"}


@cache
def translations(locale: Locale) -> NullTranslations:
    """Return what our texts are called in a language. A text nobody translated stays English."""
    if locale == "en":
        return NullTranslations()
    whole = Catalog(locale=locale)
    for path in language_files(locale):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.id and message.string and not message.fuzzy:
                    whole.add(message.id, message.string, context=message.context)
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


def speak_also(folder: Path) -> None:
    """Take in the words of a room that is not of ours."""
    if folder not in _also:
        _also.append(folder)
        translations.cache_clear()


def language_files(locale: Locale) -> list[Path]:
    """Return the files of a language; who stands first is believed. A capability may have a file of its own."""
    kernel, rooms = _PACKAGE / "kernel", _PACKAGE / "rooms"
    homes = [*_also, kernel, *sorted(room for room in rooms.iterdir() if room.is_dir())]
    return [path for home in homes for path in sorted((home / "languages" / locale).glob("*.po"))]


@lru_cache(maxsize=256)
def _accepted(header: str) -> Locale | None:
    """Return the language of ours that a browser would rather have; None where it names none of them."""
    weighed: dict[Locale, float] = {}
    for part in header.split(","):
        tag, *parameters = part.strip().lower().split(";")
        known = next((locale for locale in LOCALES if locale == tag.partition("-")[0]), None)
        if known is not None:
            weighed[known] = max(weighed.get(known, 0.0), _weight(parameters))
    best = max(weighed, key=lambda locale: weighed[locale], default=None)
    return best if best is not None and weighed[best] > 0 else None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, sign, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return min(max(float(value), 0.0), 1.0) if sign else 0.0
            except ValueError:
                return 0.0
    return 1.0
