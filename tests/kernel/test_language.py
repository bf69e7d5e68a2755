"""Every text of ours is marked, has its German, and leaves room for the same facts; and whose language it is said in."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.language import (
    LOCALES,
    Locale,
    _,
    _n,
    chosen_language,
    day_text,
    language_files,
    mark,
    speaking,
    spoken,
)
from tests.support.texts import (
    PACKAGE,
    Text,
    all_marked,
    marked_in_code,
    marked_in_template,
    unmarked_in_code,
    unmarked_in_template,
)

OTHERS = [locale for locale in LOCALES if locale != "en"]
# What still speaks English only. Whoever marks the texts of a place takes it off this list.
NOT_YET = (
    "rooms/invoicing/pdf.py",
    "rooms/invoicing/printing/scripts.py",  # as pdf.py, said in the process that prints
    "rooms/invoicing/printing/printer.py",
)
# What says nothing on a page: a standard's words, patterns, example data, declarations for machines.
NO_PAGE = (
    *(f"kernel/http/{name}.py" for name in ("binding", "cookies", "metrics", "multipart", "static")),
    *(
        f"rooms/{name}/flows.py" for name in ("auth", "invoicing", "site")
    ),  # what the examiner types and reads
    "rooms/auth/devices.py",  # the names of browsers
    *(
        f"rooms/auth/oauth/{name}.py" for name in ("github", "installed", "jose", "oidc", "providers")
    ),  # for the log
    "rooms/auth/seed.py",
    "rooms/invoicing/einvoice/",
    # What a website says to its visitors is in its own language, not in that of whoever asks.
    "rooms/site/templates/page.html",
    *(
        f"rooms/site/{name}.py"
        for name in (
            "answers",
            "crawled",
            "feeds",
            "lane",
            "render",
            "sitemap",
            "forms/taking",
            "forms/words",
        )
    ),
    *(
        f"rooms/site/{name}.py"
        for name in ("assets/seed", "collectors", "exchange/seed", "forms/seed", "jobs", "robots", "seed")
    ),
    "rooms/site/telling/",  # for the log
    *(f"rooms/invoicing/{name}.py" for name in ("bodies", "jobs", "room", "seed")),
)


def test_every_text_of_a_template_is_marked() -> None:
    files = [path for kind in ("html", "txt") for path in PACKAGE.glob(f"*/**/templates/**/*.{kind}")]
    assert bare_texts(files, unmarked_in_template) == {}, "wrap these in {{ _(…) }}"


def test_every_text_of_code_is_marked() -> None:
    files = [
        *PACKAGE.glob("kernel/http/*.py"),
        *PACKAGE.glob("kernel/money/*.py"),
        *PACKAGE.glob("rooms/**/*.py"),
    ]
    assert bare_texts(files, unmarked_in_code) == {}, "wrap these in _(…)"


def bare_texts(files: list[Path], unmarked: Callable[[str], Iterator[str]]) -> dict[str, list[str]]:
    return {
        where: found
        for path in sorted(files)
        if not (where := path.relative_to(PACKAGE).as_posix()).startswith((*NOT_YET, *NO_PAGE))
        and (found := list(unmarked(path.read_text(encoding="utf-8"))))
    }


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Nothing yet</p>", "Nothing yet"),
        ('<nav aria-label="Main">', "Main"),
        ('{{ ui.button("Save draft") }}', "Save draft"),
        ('{{ ui.cell(_("Number"), n or "Draft") }}', "Draft"),
        ('{{ _("Save draft") }}', None),
        ('{% call ui.card(_("Note", context="invoice"), flush=true) %}', None),
        ('{{ _n("{count} line", "{count} lines", n) }}', None),
        ('<div hx-trigger="input from:closest form"></div>', None),
        ("{# A remark of ours #}", None),
    ],
)
def test_what_counts_as_a_text_of_a_template(template: str, found: str | None) -> None:
    assert list(unmarked_in_template(template)) == ([found] if found else [])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise Conflict("a.b", "Somebody was faster.")', "Somebody was faster."),
        ('flash = f"Invoice {n} is void."', "Invoice X is void."),
        ('raise Conflict("a.b", _("Somebody was faster."))', None),
        ('LABELS = {"a": mark("Bank transfer")}', None),
        ('def f():\n    "Return what is so."', None),
        ('raise TypeError("This is for programmers.")', None),
        ('route("GET", "/", f, title="Read an invoice")', None),
    ],
)
def test_what_counts_as_a_text_of_code(code: str, found: str | None) -> None:
    assert list(unmarked_in_code(code)) == ([found] if found else [])


def test_every_marked_text_has_its_translation_in_every_language() -> None:
    marked = all_marked()
    for locale in OTHERS:
        missing = sorted(set(missing_in(locale, marked)))
        assert missing == [], f"add these to a file of languages/{locale}:\n" + "\n".join(
            map(as_entry, missing)
        )


def test_a_text_without_a_translation_is_found() -> None:
    marked = [
        *marked_in_template('{{ _("Nobody translated this") }}'),
        *marked_in_code('x = _n("{count} gnu", "{count} gnus", 2)'),
    ]
    assert [m.text for m in missing_in("de", marked)] == ["Nobody translated this", "{count} gnu"]
    assert list(missing_in("de", [Text("Sign in")])) == []


def test_no_file_of_a_language_holds_what_nobody_says_or_says_it_otherwise_than_another() -> None:
    said = {m.key for m in all_marked()}
    for locale in OTHERS:
        seen: dict[tuple[str, str], tuple[Path, object]] = {}
        for path in language_files(locale):
            for context, text, string_ in entries(path, locale):
                assert (context, text) in said, f"{path.name}: nobody says {text!r} any longer"
                first = seen.setdefault((context, text), (path, string_))
                assert first[1] == string_, f"{path.name} and {first[0].name} say {text!r} in two ways"


def test_a_text_asks_for_the_same_facts_in_every_language() -> None:
    for locale in OTHERS:
        for path in language_files(locale):
            for _context, text, said in entries(path, locale):
                for form in said if isinstance(said, tuple) else (said,):
                    assert facts_in(form) <= facts_in(text) | {"count"}, f"{path.name}: {text!r}"
                    assert facts_in(text) - {"count"} <= facts_in(form), f"{path.name}: {text!r}"


def test_a_text_is_said_in_the_language_spoken_here_and_english_elsewhere() -> None:
    assert spoken() == "en"
    with speaking("de"):
        assert _("Sign in") == "Anmelden"
        assert _("Error {status}", status=404) == "Fehler 404"
        assert _("This nobody translated: {what}.", what="{x}") == "This nobody translated: {x}."
        assert _(mark("Paid")) == "Bezahlt"
    assert _("Sign in") == "Sign in"
    assert [_n("{count} thing", "{count} things", n) for n in (0, 1, 2)] == [
        "0 things",
        "1 thing",
        "2 things",
    ]


def test_a_template_speaks_the_language_spoken_here_and_its_facts_stay_text(tmp_path: Path) -> None:
    (tmp_path / "t.html").write_text('<p>{{ _("Error {status}", status=x) }}</p>')
    pages = Pages({"t": tmp_path}, static_url=str)
    assert pages.render("t/t.html", {"x": "<b>"}) == b"<p>Error &lt;b&gt;</p>"
    with speaking("de"):
        assert pages.render("t/t.html", {"x": 7}) == b"<p>Fehler 7</p>"


@pytest.mark.parametrize(
    ("chosen", "accept", "expected"),
    [
        ("de", "en", "de"),
        ("xx", "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr, en;q=0.7, de;q=0.9", "de"),
        (None, "en-GB", "en"),
        (None, "fr", "de"),
        (None, "", "de"),
        (None, "*", "de"),
        (None, "de;q=0, en;q=0", "de"),
        (None, "en;q=banana, de;q=0.1", "de"),
        (None, ",;,;q=,en;" + "x" * 10_000, "en"),
    ],
)
def test_the_persons_choice_comes_first_then_their_browser_then_the_app(
    chosen: str | None, accept: str, expected: str
) -> None:
    assert chosen_language(chosen, accept, otherwise="de") == expected


def test_a_day_is_written_as_its_reader_writes_it() -> None:
    when = date(2026, 3, 5)
    assert (day_text(when), day_text(when, is_long=True)) == ("5 Mar 2026", "5 March 2026")
    with speaking("de"):
        assert (day_text(when), day_text(when, is_long=True)) == ("05.03.2026", "5. März 2026")


def missing_in(locale: Locale, marked: list[Text]) -> Iterator[Text]:
    known = {
        (context, text) for path in language_files(locale) for context, text, _said in entries(path, locale)
    }
    return (text for text in marked if text.key not in known)


def entries(path: Path, locale: Locale) -> Iterator[tuple[str, str, object]]:
    """Yield what a file translates: context, text, and what it says; what is empty or fuzzy counts as absent."""
    with path.open("rb") as file:
        for message in read_po(file, locale=locale):
            text = message.id[0] if isinstance(message.id, tuple) else message.id
            said = message.string
            if text and not message.fuzzy and said and (all(said) if isinstance(said, tuple) else True):
                yield message.context or "", text, said


def facts_in(text: str) -> set[str]:
    return {name for _literal, name, _format, _conversion in string.Formatter().parse(text) if name}


def as_entry(text: Text) -> str:
    quoted = [
        repr(part)[1:-1].replace("\\'", "'").replace('"', '\\"')
        for part in (text.context, text.text, text.many)
    ]
    context = f'msgctxt "{quoted[0]}"\n' if text.context else ""
    plural = f'msgid_plural "{quoted[2]}"\nmsgstr[0] ""\nmsgstr[1] ""\n' if text.many else 'msgstr ""\n'
    return f'#: {text.where}\n{context}msgid "{quoted[1]}"\n{plural}'
